import { expect } from "chai";
import { DEFAULT_LIMITS, type LimitOptions, resolveLimits } from "../../packages/wire/src/limits.ts";
import { DEFAULT_VALUE_LIMITS } from "../../packages/wire/src/value/limits.ts";

describe("resolveLimits", () => {
  it("has a default for each limit", () => {
    expect(resolveLimits()).to.deep.equal(DEFAULT_LIMITS);
    expect(resolveLimits({})).to.deep.equal(DEFAULT_LIMITS);
    expect(DEFAULT_LIMITS).to.deep.equal({
      maxFrameBytes: 67_108_864,
      maxMessageSegments: 511,
      maxMessageWords: 8_388_608,
      maxNesting: 64,
      maxTransformLength: 64,
      maxPathLength: 64,
      maxCapTable: 16_384,
      value: DEFAULT_VALUE_LIMITS,
      maxQuestions: 1_000_000,
      maxAnswers: 65_536,
      maxExports: 1_000_000,
      maxImports: 1_000_000,
      maxCallsInFlight: 16_384,
      maxCallBytesInFlight: 64 * 1024 * 1024,
      maxQueuedBytes: 16_777_216,
      maxBufferedBytes: 67_108_864,
      connectTimeoutMs: 10_000,
      heartbeatMs: 30_000,
      gracePeriodMs: 30_000,
      waitUntilTimeoutMs: 30_000,
      maxLinks: 10_000,
      maxConcurrentInvocations: 10_000,
      maxWaitingInvocations: 10_000,
      streamWindowBytes: 256 * 1024,
      maxStreamBytes: 16 * 1024 * 1024,
      maxRedirects: 20,
    });
    expect(DEFAULT_LIMITS.value.maxBytes).to.equal(32 * 1024 * 1024);
  });

  it("changes what it is asked to, and nothing else", () => {
    const limits = resolveLimits({ maxExports: 5, heartbeatMs: 0, value: { maxDepth: 7 }, maxAnswers: undefined });
    expect(limits).to.deep.equal({
      ...DEFAULT_LIMITS,
      maxExports: 5,
      heartbeatMs: 0,
      value: { ...DEFAULT_VALUE_LIMITS, maxDepth: 7 },
    });
  });

  it("takes its own results", () => {
    const limits = resolveLimits({ maxExports: 5, value: { maxDepth: 7 } });
    expect(resolveLimits(limits)).to.deep.equal(limits);
  });

  it("cannot be changed afterwards", () => {
    expect(resolveLimits()).to.be.frozen;
    expect(resolveLimits().value).to.be.frozen;
  });

  const refused: readonly [options: unknown, kind: typeof Error, text: string][] = [
    [{ maxExport: 5 }, TypeError, 'Unknown limit "maxExport".'],
    [{ toString: 5 }, TypeError, 'Unknown limit "toString".'],
    [{ value: { maxByte: 5 } }, TypeError, 'Unknown limit "value.maxByte".'],
    [{ maxExports: "5" }, TypeError, 'Limit "maxExports" must be a number, not "5".'],
    [{ maxExports: null }, TypeError, 'Limit "maxExports" must be a number, not null.'],
    [{ maxExports: 5n }, TypeError, 'Limit "maxExports" must be a number, not a value of type bigint.'],
    [{ maxExports: 1.5 }, RangeError, 'Limit "maxExports" must be an integer, not 1.5.'],
    [{ maxExports: Number.NaN }, RangeError, 'Limit "maxExports" must be an integer, not NaN.'],
    [{ connectTimeoutMs: Infinity }, RangeError, 'Limit "connectTimeoutMs" must be an integer, not Infinity.'],
    [{ maxExports: 0 }, RangeError, 'Limit "maxExports" must be from 1 to 1073741824, not 0.'],
    [{ maxMessageSegments: 512 }, RangeError, 'Limit "maxMessageSegments" must be from 1 to 511, not 512.'],
    [
      { connectTimeoutMs: 2 ** 31 },
      RangeError,
      'Limit "connectTimeoutMs" must be from 1 to 2147483647, not 2147483648.',
    ],
    [{ value: { maxBytes: -1 } }, RangeError, 'Limit "value.maxBytes" must be from 16 to 536870911, not -1.'],
    [{ value: 5 }, TypeError, 'Limit "value" must be an object, not a value of type number.'],
    [{ value: null }, TypeError, 'Limit "value" must be an object, not null.'],
    [[], TypeError, "Limits must be an object, not an array."],
    [null, TypeError, "Limits must be an object, not null."],
  ];
  for (const [options, kind, text] of refused) {
    it(`refuses: ${text}`, () => {
      expect(() => resolveLimits(options as LimitOptions)).to.throw(kind, text);
    });
  }
});
