// Resolve, Release, Disembargo, and what stands in messages.
import { type Clause, deferred, divergent, supported } from "../clause.ts";
import * as at from "./suites.ts";

const LEVEL_3 = "Level 3: Capstan's network introduces no third parties.";

export const RESOLVE: readonly Clause[] = [
  supported("Resolve.promiseId/count", "Naming a promise in a Resolve counts no reference to it.", [
    ...at.resolveTo("is sent once, however often the promise was, and counts no reference"),
  ]),
  supported(
    "Resolve.promiseId/once",
    "A promise has one Resolve, however often it was sent; what is no promise has none.",
    [
      ...at.resolveTo("is sent once, however often the promise was, and counts no reference"),
      ...at.resolveFrom("is an abort where the promise resolved before, or is no promise"),
    ],
  ),
  supported(
    "Resolve.promiseId/released",
    "None need come for a promise that was given back; one that comes only gives back what it carries.",
    [
      ...at.resolveTo("is not sent for a promise that the peer gave back"),
      ...at.hostile("gets back what a Resolve carries for a promise that was let go"),
    ],
  ),
  supported("Resolve.promiseId/given-back", "Whoever gets it gives the promise back soon after.", [
    ...at.resolveFrom("leads calls to the capability, and gives the promise back"),
  ]),
  supported(
    "Resolve.cap/kinds",
    "The promise is a capability of the sender's, of the receiver's, or another promise.",
    [
      ...at.resolveFrom(
        "leads calls to the capability, and gives the promise back",
        "to another promise waits for that one's Resolve",
        "to the vat's own object, not called yet, leads there at once",
      ),
    ],
  ),
  supported("Resolve.cap/exactly", "From then on the sender passes calls on the promise to exactly that.", [
    ...at.resolveTo(
      "names the peer's own object as receiverHosted, and calls still go that way",
      "to a promise of the peer's own has calls go exactly there, whatever that resolves to",
    ),
    ...at.disembargoed("on an export comes back behind the calls that went that way"),
  ]),
  divergent(
    "Resolve.cap/null",
    "A promise that resolves to no capability.",
    "The text does not speak of it: calls on it fail.",
    [...at.resolveFrom("to nothing breaks the promise")],
  ),
  supported("Resolve.exception", "The promise broke: calls on it fail with that exception.", [
    ...at.resolveFrom("to an exception breaks the promise"),
    ...at.resolveTo("says why where the promise broke"),
  ]),
];

export const RELEASE: readonly Clause[] = [
  supported("Release.id", "Names what the sender holds a reference of; what it does not hold is a fault.", [
    ...at.aborted("releases an export that does not exist"),
  ]),
  supported("Release.referenceCount/zero", "The export goes when as many references came back as were sent.", [
    ...at.released("counts what was sent several times, and frees the id with the last reference"),
  ]),
  supported("Release.referenceCount/batch", "Whoever lets go gives all of them back in one message.", [
    ...at.released("gives back all that was received at once, when the last holder lets go"),
  ]),
  supported("Release.referenceCount/over", "More than were sent is a fault.", [
    ...at.aborted("releases more references than it was given"),
  ]),
];

export const DISEMBARGO: readonly Clause[] = [
  supported(
    "Disembargo.target",
    "Names the old way, which it takes behind the calls that went there: an export, or a place in an answer.",
    [
      ...at.disembargoed(
        "on an export comes back behind the calls that went that way",
        "on an answer comes back behind the calls that went that way",
      ),
      ...at.aborted("asks to disembargo what does not exist"),
    ],
  ),
  supported(
    "Disembargo.context.senderLoopback/sent",
    "Is sent where a promise or an answer that was called leads back here; later calls wait.",
    [
      ...at.disembargoed(
        "is sent where a promise that was called leads back here, and later calls wait for it",
        "is sent where an answer that was called leads back here, and later calls wait for it",
        "is not sent where what it leads to is the peer's own",
      ),
    ],
  ),
  supported(
    "Disembargo.context.senderLoopback/verified",
    "Whoever gets it makes sure that the target leads back to its sender, and ends the connection otherwise.",
    [...at.aborted("asks to disembargo what does not lead back to it")],
  ),
  divergent(
    "Disembargo.context.senderLoopback/promise",
    "That is so for a promise too which turns out to lead elsewhere.",
    "It is waited for, and then comes back in any case: calls that went that way have been passed on by then.",
    at.disembargoed("on a promise waits until that is known, and comes back then"),
  ),
  supported("Disembargo.context.receiverLoopback", "Comes back with the number that it was sent with, once.", [
    ...at.disembargoed(
      "on an export comes back behind the calls that went that way",
      "is an abort where it comes back twice, or as unimplemented",
    ),
    ...at.aborted("sends back a Disembargo that it was never sent"),
  ]),
  ...(["accept", "provide"] as const).map((name) =>
    deferred(`Disembargo.context.${name}`, "Lifts the embargo of an Accept.", `${LEVEL_3} It is an abort.`, [
      ...at.disembargoed("is an abort in a context that level 1 has not"),
    ]),
  ),
];

export const PARTS: readonly Clause[] = [
  supported("MessageTarget.importedCap", "A capability, or promise, that the receiver exported.", [
    ...at.bootstrapFrom("gives the same export each time, and counts it"),
    ...at.aborted("calls an export that does not exist"),
  ]),
  supported("MessageTarget.promisedAnswer", "A place in results that may not be there yet.", [
    ...at.connection("pipelines a chain on unanswered calls in one frame each way"),
    ...at.lateFinish("keeps the results for calls that are pipelined on them until then"),
  ]),
  supported("Payload.content", "Any pointer; capabilities in it are indexes into the cap table.", [
    ...at.oracle("reads what capnp-ts writes, for every kind of message"),
    ...at.decoding("leaves content that is not right to whoever reads it, from one segment or several"),
  ]),
  supported("Payload.capTable", "The capabilities of the content, in order.", [
    ...at.decoding("reads every descriptor that it writes, in a resolve too"),
  ]),
  supported("CapDescriptor.none", "No capability.", at.capTable("may hold a null, which is no capability")),
  supported("CapDescriptor.senderHosted", "An export of the sender's; one that is known has one reference more.", [
    ...at.released(
      "counts what was sent several times, and frees the id with the last reference",
      "gives back all that was received at once, when the last holder lets go",
    ),
  ]),
  supported("CapDescriptor.senderPromise", "The same, with a Resolve to come.", [
    ...at.connection("sends a promise as a capability, and Resolve when it resolves"),
    ...at.resolveTo("is sent once, however often the promise was, and counts no reference"),
  ]),
  divergent(
    "CapDescriptor.senderPromise/broken",
    "A capability that is broken already is sent as a promise with its Resolve right behind.",
    "It is sent as senderHosted, and each call on it fails with the reason: the receiver learns of it one call later.",
    at.capTable("name what is broken like anything else: calls on it fail with the reason"),
  ),
  supported("CapDescriptor.receiverHosted", "An export of the receiver's, which is its own object again.", [
    ...at.capTable(
      "name the vat's own as receiverHosted and receiverAnswer, which come back as what they are",
      "break what names nothing, and the link lives",
    ),
  ]),
  supported("CapDescriptor.receiverAnswer", "A place in an answer of the receiver's.", [
    ...at.capTable(
      "name the vat's own as receiverHosted and receiverAnswer, which come back as what they are",
      "break what names nothing, and the link lives",
    ),
  ]),
  supported("CapDescriptor.thirdPartyHosted", "Belongs to a third vat; at level 1 its vine takes the calls.", [
    ...at.capTable("take what is hosted by a third party by its vine"),
  ]),
  deferred(
    "CapDescriptor.attachedFd",
    "A file descriptor that comes with the capability.",
    "Capstan's transports carry none, and the field may point past what came: it is ignored.",
  ),
  supported(
    "PromisedAnswer.questionId",
    "The question whose results are meant; one that is gone breaks what is called on it.",
    [...at.hostile("gets an exception for a call on an answer that is gone, and on itself")],
  ),
  supported("PromisedAnswer.transform", "The way from the content to the capability; empty for the content itself.", [
    ...at.bootstrapFrom("takes calls before it is answered, on the answer itself"),
    ...at.decoding(
      "what a newer or odd peer sends is a transform with an unknown step, or over the limit: it leads nowhere, and the link lives",
    ),
  ]),
  supported("PromisedAnswer.Op.noop", "A step that does nothing.", [
    ...at.oracle("reads what capnp-ts writes, for every kind of message"),
  ]),
  supported("PromisedAnswer.Op.getPointerField", "A step through a pointer, by its place among the pointers.", [
    ...at.lateFinish("keeps the results for calls that are pipelined on them until then"),
    ...at.interfaces("pipelines on what results will hold, and releases it once"),
  ]),
  deferred("ThirdPartyCapDescriptor.id", "Where the third vat is.", LEVEL_3),
  supported("ThirdPartyCapDescriptor.vineId", "An export of the sender's that passes calls on.", [
    ...at.capTable("take what is hosted by a third party by its vine"),
  ]),
  ...(["reason", "trace"] as const).map((name) =>
    supported(`Exception.${name}`, "Text, as it was sent.", [
      ...at.oracle("writes what capnp-ts reads, for every kind of message"),
      ...at.decoding("writes an exception of any length"),
    ]),
  ),
  ...(["obsoleteIsCallersFault", "obsoleteDurability"] as const).map((name) =>
    supported(`Exception.${name}`, "Obsolete, and ignored.", [
      ...at.oracle("reads what capnp-ts writes, for every kind of message"),
    ]),
  ),
  supported("Exception.type", "What the caller might do about it; unknown ones are failures.", [
    ...at.interfaces("tells of exceptions by type, and of what is not implemented"),
    ...at.decoding("what a newer or odd peer sends is an exception of unknown type: it is a failure"),
  ]),
  supported("Exception.Type.failed", "It would fail again.", [
    ...at.interfaces("tells of exceptions by type, and of what is not implemented"),
  ]),
  supported("Exception.Type.overloaded", "There is too much to do at the moment.", [
    ...at.interfaces("tells of exceptions by type, and of what is not implemented"),
  ]),
  supported("Exception.Type.disconnected", "A connection was lost.", [
    ...at.connection("leaves no call pending and no table entry when it ends"),
  ]),
  supported("Exception.Type.unimplemented", "There is no such method.", [
    ...at.interfaces("tells of exceptions by type, and of what is not implemented"),
  ]),
  ...(["Exception.details", "Exception.Detail.detailId", "Exception.Detail.data"] as const).map((id) =>
    supported(id, "What programs want to know of it, under numbers.", [
      ...at.encoding("exceptions with details, which capnp-ts does not know come back as they were sent"),
      ...at.decoding(
        "as Cap'n Proto's own implementation writes them, in tiny segments reads an exception with its details",
      ),
    ]),
  ),
];

const UNKNOWN = at.unknown("goes back whole as unimplemented, and the link lives");

export const HIGHER_LEVELS: readonly Clause[] = [
  ...["Message.provide", "Provide.questionId", "Provide.target", "Provide.recipient"].map((id) =>
    deferred(id, "Holds a capability ready for a third vat.", `${LEVEL_3} It goes back as unimplemented.`, UNKNOWN),
  ),
  ...["Message.accept", "Accept.questionId", "Accept.provision", "Accept.embargo"].map((id) =>
    deferred(id, "Fetches what was held ready.", `${LEVEL_3} It goes back as unimplemented.`, UNKNOWN),
  ),
  ...["Message.join", "Join.questionId", "Join.target", "Join.keyPart"].map((id) =>
    deferred(id, "Asks whether capabilities are the same.", "Level 4. It goes back as unimplemented.", UNKNOWN),
  ),
];
