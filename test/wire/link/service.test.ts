import { expect } from "chai";
import { DecodeError } from "../../../packages/wire/src/errors.ts";
import { type JsValueRef, readJsValue } from "../../../packages/wire/src/js-rpc/js-value.ts";
import { DEFAULT_LIMITS } from "../../../packages/wire/src/limits.ts";
import {
  readServiceParams,
  readServiceResults,
  writeServiceParams,
  writeServiceResults,
} from "../../../packages/wire/src/link/service.ts";
import { bytesIn, contentOf } from "../support/payloads.ts";
import { bytesOf, capability, listAt, NULL, readerOf, structAt } from "../support/words.ts";

const NO_STUBS = {
  readHostObject: (): never => {
    throw new Error("no stubs here");
  },
};

describe("Link.service", () => {
  for (const params of [
    { name: "", entrypoint: "" },
    { name: "worker-b", entrypoint: "" },
    { name: "", entrypoint: "MyWorker" },
    { name: "größer", entrypoint: "𝒳".repeat(30) },
  ]) {
    it(`takes ${JSON.stringify(params)} over`, () => {
      expect(
        readServiceParams(
          contentOf((out, at) => writeServiceParams(out, at, params)),
          0,
        ),
      ).to.deep.equal({ ...params, props: undefined });
    });
  }

  it("has the params of the schema", () => {
    const reader = contentOf((out, at) => writeServiceParams(out, at, { name: "b", entrypoint: "My" }));
    expect(bytesIn(reader)).to.deep.equal(
      bytesOf([structAt(0, 0, 2), listAt(1, 2, 2), listAt(1, 2, 3), "b\0", "My\0"]),
    );
  });

  it("takes props over", () => {
    const reader = contentOf((out, at) =>
      writeServiceParams(out, at, { name: "b", entrypoint: "", props: { a: [1] } }),
    );
    const { props } = readServiceParams(reader, 0);
    expect(props).to.not.equal(undefined);
    expect(readJsValue(props as JsValueRef, NO_STUBS, DEFAULT_LIMITS)).to.deep.equal({ a: [1] });
  });

  it("has the results of the schema", () => {
    const reader = contentOf((out, at) => writeServiceResults(out, at, 6));
    expect(bytesIn(reader)).to.deep.equal(bytesOf([structAt(0, 0, 1), capability(6)]));
    expect(readServiceResults(reader, 0)).to.equal(6);
  });

  it("names nothing in params and results that are null or other than expected", () => {
    expect(readServiceParams(readerOf([NULL]), -1)).to.deep.equal({ name: "", entrypoint: "", props: undefined });
    expect(readServiceResults(readerOf([NULL]), -1)).to.equal(-1);
    const text = readerOf([structAt(0, 0, 1), listAt(0, 2, 1), NULL]);
    expect(readServiceResults(text, text.start)).to.equal(-1);
  });

  it("refuses pointers that are not right", () => {
    const reader = readerOf([structAt(0, 0, 2), listAt(9, 2, 3), NULL]);
    expect(() => readServiceParams(reader, reader.start)).to.throw(DecodeError);
  });
});
