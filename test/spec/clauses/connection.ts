// Rules of the whole protocol, and the messages that begin, end or are not understood.
import { type Clause, deferred, divergent, supported } from "../clause.ts";
import * as at from "./suites.ts";

export const PROTOCOL: readonly Clause[] = [
  supported("Protocol/e-order", "Two calls on one reference arrive in the order in which they were made.", [
    ...at.order("holds where an object of the caller's by name has become one of the callee's meanwhile"),
    ...at.through("keeps the order of calls through a promise that resolves to it"),
    ...at.connection("keeps the order of calls on a promise that turns out to be the caller's own object"),
  ]),
  supported(
    "Protocol/proxies",
    "What belongs to a third vat is passed on as a proxy, and let go with its last holder.",
    at.through(
      "takes calls, and is released when its last holder lets go",
      "takes calls that are pipelined on unanswered ones, without a stop in between",
    ),
  ),
  supported(
    "Protocol/small-ids",
    "Ids are handed out like file descriptors: small ones, and free ones first.",
    at.localTable("hands out small ids, and a freed one again before a new one"),
  ),
  supported(
    "Protocol/loss",
    "With its connection every entry of the four tables is gone: questions fail, imports break, answers and exports are released.",
    [
      ...at.connection("leaves no call pending and no table entry when it ends"),
      ...at.endings("tells everybody, though somebody throws"),
    ],
  ),
  supported(
    "Protocol/one-resolution",
    "Once a promise was said to be some reference, calls on it go to just that, whatever becomes of it later.",
    [
      ...at.resolveTo("names the peer's own object as receiverHosted, and calls still go that way"),
      ...at.promisedAnswer(
        "keeps the order of calls pipelined on it where the promise turns out to be the caller's own object",
      ),
    ],
  ),
  supported(
    "Protocol/no-circles",
    "References that lead to each other in a circle fail instead of going round for ever.",
    [...at.hostile("cannot make a promise resolve to itself, or in a circle")],
  ),
  supported(
    "Protocol/segments",
    "A message may be of several segments, with far and double far pointers.",
    at.decoding("reads any message over any number of segments, with far and double far pointers"),
  ),
  supported("Protocol/quota", "A peer that asks for too much is refused; what ends or settles things is always read.", [
    ...at.quota("never holds back Return, Finish, Release and Resolve"),
    ...at.earlyFinish("does not free the callee of the quota: what still runs counts"),
    ...at.hostile(
      "gets an exception for calls past the bound on calls in flight, and an abort where it never finishes",
      "gets an exception for calls past the bound on their bytes, until some are answered",
    ),
  ]),
  deferred(
    "Protocol/persistence",
    "Level 2: references that outlive their connection.",
    "It is an interface of its own, not part of these messages; nothing in Capstan is persistent.",
  ),
];

export const MESSAGES: readonly Clause[] = [
  supported(
    "Message.unimplemented/sent",
    "What is not understood goes back whole, and the connection lives.",
    at.unknown("goes back whole as unimplemented, and the link lives"),
  ),
  supported(
    "Message.unimplemented/question",
    "A question that comes back has failed, as unimplemented.",
    at.unimplementedFrom(
      "fails the call that came back, which gives back its params",
      "fails what was pipelined on a Bootstrap that came back",
    ),
  ),
  supported(
    "Message.unimplemented/resolve",
    "A Resolve that comes back gives back what it carried.",
    at.resolveTo("that comes back as unimplemented gives back what it carried"),
  ),
  supported(
    "Message.unimplemented/never-answered",
    "It is never itself answered as unimplemented.",
    at.unimplementedFrom("is never answered, whatever it holds"),
  ),
  supported(
    "Message.unimplemented/no-way-on",
    "Where nothing sensible can follow, the connection may be aborted: so it is for a Disembargo, for which calls wait.",
    at.disembargoed("is an abort where it comes back twice, or as unimplemented"),
  ),
  supported("Message.abort/received", "Ends the connection with the peer's reason; nothing after it is read.", [
    ...at.abort("from a peer ends everything with its reason, and is not answered"),
  ]),
  supported("Message.abort/sent", "Tells the peer why the connection ends, and is the last message.", [
    ...at.abort("to a peer says why, and nothing follows"),
    ...at.hostile("is aborted for a frame that is no message"),
  ]),
  supported("Message.bootstrap", "Asks for what the peer offers.", [
    ...at.bootstrapFrom("is answered with the capability alone as content, which needs a Finish"),
  ]),
  supported("Message.call", "Begins a call.", at.connection("carries a call and its results, and keeps nothing of it")),
  supported("Message.return", "Ends a call.", at.connection("carries a call and its results, and keeps nothing of it")),
  supported(
    "Message.finish",
    "Lets an answer go, or cancels a call.",
    at.lateFinish("frees the question's id, which the next call may have"),
  ),
  supported(
    "Message.resolve",
    "Says what a promise is.",
    at.connection("sends a promise as a capability, and Resolve when it resolves"),
  ),
  supported(
    "Message.release",
    "Gives a reference back.",
    at.connection("calls back an object that was passed as a parameter, and releases it once"),
  ),
  supported(
    "Message.disembargo",
    "Keeps the order of calls where a way gets shorter.",
    at.connection("keeps the order of calls on a promise that turns out to be the caller's own object"),
  ),
  ...(["obsoleteSave", "obsoleteDelete"] as const).map((name) =>
    supported(`Message.${name}`, "Never in use: goes back as unimplemented.", [
      ...at.unknown("goes back whole as unimplemented, and the link lives"),
    ]),
  ),
];

export const BOOTSTRAP: readonly Clause[] = [
  supported(
    "Bootstrap.questionId/answer",
    "Its answer holds the capability itself as content, number 0 of the cap table, and takes a Finish.",
    at.bootstrapFrom(
      "is answered with the capability alone as content, which needs a Finish",
      "gives the same export each time, and counts it",
    ),
  ),
  supported(
    "Bootstrap.questionId/pipelining",
    "Calls can be made on it before it is answered, with an empty transform.",
    [
      ...at.bootstrapFrom("takes calls before it is answered, on the answer itself"),
      ...at.bootstrapTo("takes calls before it is answered, and is finished then"),
    ],
  ),
  supported(
    "Bootstrap.questionId/nothing",
    "A vat without one answers with an exception.",
    at.bootstrapFrom("is answered with an exception where the vat offers nothing"),
  ),
  divergent(
    "Bootstrap.deprecatedObjectId",
    "Once chose among several capabilities.",
    "Deprecated, and Capstan offers one capability: whatever is named, that is what comes.",
    at.bootstrapFrom("gives the one capability there is, whatever object it names"),
  ),
];
