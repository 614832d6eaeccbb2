// The suites whose tests show clauses.
import { suite } from "../clause.ts";

export const connection = suite("vat/connection", "vat: a connection");
export const hostile = suite("vat/hostile", "vat: a peer that breaks the rules");
export const aborted = (...what: string[]): string[] =>
  hostile(...what.map((each) => `is aborted, and told why, when it ${each}`));
export const order = suite("vat/order", "vat: order of calls on one reference");
export const through = suite("vat/three-vats", "vat: a capability that passes through a vat between");
export const promisedAnswer = suite("vat/three-vats", "vat: an answer that is a promise of the callee's");
export const tailCall = suite("vat/tail-calls", "vat: a tail call to the caller's own object");
export const lateFinish = suite("vat/finish", "vat: Finish from a peer whose call was answered");
export const earlyFinish = suite("vat/finish", "vat: Finish from a peer before the Return");
export const hints = suite("vat/finish", "vat: hints of a caller's");
export const quota = suite("vat/finish", "vat: the quota of calls");
export const kept = suite("vat/foreign-tail-calls", "vat: a call whose results a peer asks to be kept");
export const taken = suite("vat/foreign-tail-calls", "vat: a Return that takes the results of a call of the peer's");
export const twoReturns = suite("vat/foreign-tail-calls", "vat: two Returns for one question");
export const unasked = suite("vat/foreign-tail-calls", "vat: a Return that nobody asked for");
export const passedBack = suite("vat/foreign-tail-calls", "vat: a call that is passed back to its caller");
export const resolveFrom = suite("vat/references", "vat: Resolve from a peer");
export const resolveTo = suite("vat/references", "vat: Resolve to a peer");
export const released = suite("vat/references", "vat: Release");
export const paramCaps = suite("vat/references", "vat: releaseParamCaps");
export const disembargoed = suite("vat/references", "vat: Disembargo with a raw peer");
export const capTable = suite("vat/references", "vat: cap tables with a raw peer");
export const bootstrapFrom = suite("vat/beginnings-and-ends", "vat: Bootstrap from a peer");
export const bootstrapTo = suite("vat/beginnings-and-ends", "vat: Bootstrap to a peer");
export const unimplementedFrom = suite("vat/beginnings-and-ends", "vat: Unimplemented from a peer");
export const unknown = suite("vat/beginnings-and-ends", "vat: a message that level 1 does not know");
export const abort = suite("vat/beginnings-and-ends", "vat: Abort");
export const endings = suite("vat/endings", "vat: a connection that ends");
export const localTable = suite("vat/tables/tables", "vat: a table of ids that we allocate");
export const interfaces = suite("vat/interfaces", "vat: any interface, over memory");
export const decoding = suite("wire/rpc/decode", "decoding messages");
export const encoding = suite("wire/rpc/encode", "encoding messages");
export const oracle = suite("wire/rpc/oracle", "the flat codec against capnp-ts");
export const framing = suite("wire/framing", "FrameReader");
