// Call, Return and Finish.
import { type Clause, deferred, divergent, supported } from "../clause.ts";
import * as at from "./suites.ts";

const LEVEL_3 = "Level 3: Capstan's network introduces no third parties.";

export const CALL: readonly Clause[] = [
  supported("Call.questionId/unique", "Names the call; one that is open may not be used again.", [
    ...at.aborted("reuses a question id that is open"),
  ]),
  supported(
    "Call.questionId/reuse",
    "It is free once both the Return and the Finish are out, or no Finish is needed.",
    [
      ...at.lateFinish(
        "frees the question's id, which the next call may have",
        "means nothing where the Return said that none is needed, and the id is free at once",
        "is needed after an exception, until when its id stays taken",
      ),
    ],
  ),
  supported(
    "Call.target",
    "Says which capability takes the call; one that does not exist is a fault of the caller's.",
    [
      ...at.aborted("calls an export that does not exist"),
      ...at.hostile("gets an exception for a call on an answer that is gone, and on itself"),
    ],
  ),
  ...(["interfaceId", "methodId"] as const).map((name) =>
    supported(`Call.${name}`, "Together with its twin it names the method; an unknown one is unimplemented.", [
      ...at.interfaces(
        "calls a method with a struct, and gets one",
        "tells of exceptions by type, and of what is not implemented",
      ),
    ]),
  ),
  supported("Call.params", "A struct with the parameters as fields.", at.interfaces("carries every kind of field")),
  supported("Call.sendResultsTo.caller", "The results come back to the caller.", [
    ...at.connection("carries a call and its results, and keeps nothing of it"),
  ]),
  supported(
    "Call.sendResultsTo.yourself/kept",
    "The callee keeps the results, says so in its Return, and holds them until Finish.",
    [
      ...at.kept(
        "is answered without them, and they stay until Finish",
        "takes calls that are pipelined on it",
        "is answered the same way where it fails",
        "is cancelled by Finish where nobody took its results",
      ),
    ],
  ),
  supported(
    "Call.sendResultsTo.yourself/tail-call",
    "A call that ends up with its own caller is passed back so, without a wait.",
    [
      ...at.passedBack("asks the peer to keep the results, and says that they are its own"),
      ...at.tailCall("keeps the results with the caller", "takes pipelined calls through it, in order with later ones"),
    ],
  ),
  supported("Call.sendResultsTo.yourself/finish", "The call that was passed back is finished once the original is.", [
    ...at.passedBack(
      "keeps its id until it is finished, though it is answered",
      "is finished when the peer finishes its own, answered or not",
    ),
    ...at.tailCall("is cancelled with the call that it became"),
  ]),
  deferred(
    "Call.sendResultsTo.thirdParty",
    "The results go to another vat.",
    `${LEVEL_3} Such a call fails as unimplemented.`,
    [...at.kept("is refused where they are for a third party, as unimplemented")],
  ),
  deferred("Call.allowThirdPartyTailCall", "Lets the callee name a third vat as where the results are.", LEVEL_3),
  supported("Call.noPromisePipelining", "A hint that no calls will be made on the results; nothing depends on it.", [
    ...at.hints("change nothing of what a call does and how it is answered"),
  ]),
  divergent(
    "Call.onlyPromisePipeline",
    "The caller will only pipeline, and has no use for the Return.",
    "A Return is sent as for any call: the caller ignores it, and a Return without results would save little.",
    at.hints("change nothing of what a call does and how it is answered"),
  ),
];

export const RETURN: readonly Clause[] = [
  supported("Return.answerId", "Names the call that ends, which has no other Return.", [
    ...at.aborted("returns a question that is not open"),
    ...at.twoReturns("are an abort, whatever the first one was", "are an abort where the first one crossed our Finish"),
  ]),
  supported("Return.releaseParamCaps/true", "Stands for one Release of each capability in the params.", [
    ...at.paramCaps("gives back each capability of the params", "also counts for a call that we gave up"),
  ]),
  supported("Return.releaseParamCaps/false", "Leaves them to Release.", [
    ...at.paramCaps(
      "leaves them to Release where it is false",
      "is true on our Returns exactly where the params held nothing",
    ),
  ]),
  supported("Return.results", "A struct with the results as fields; capabilities in it count as references.", [
    ...at.connection("carries a call and its results, and keeps nothing of it"),
    ...at.lateFinish("leaves it to Release without releaseResultCaps"),
  ]),
  supported("Return.exception", "The call failed, and so does everything that was pipelined on it.", [
    ...at.connection("fails a call that was pipelined on a failed call with the same error"),
    ...at.lateFinish("is needed after an exception, until when its id stays taken"),
  ]),
  supported("Return.canceled", "The caller's Finish came before the call was done.", [
    ...at.earlyFinish("cancels the call, and is answered as canceled at once"),
    ...at.unasked("fails the call where it says that it was cancelled"),
  ]),
  supported(
    "Return.resultsSentElsewhere",
    "The answer to a call whose results were not to come back, and to no other.",
    [
      ...at.kept("is answered without them, and they stay until Finish"),
      ...at.taken(
        "has that call answered at once, and only once: a peer may wait for it before it finishes what was cancelled",
      ),
      ...at.unasked(
        "fails the call where it says that the results went elsewhere, or is of a kind that level 1 has not",
      ),
    ],
  ),
  supported(
    "Return.takeFromOtherQuestion/results",
    "The results, or the exception, are those of that other call, answered yet or not.",
    [
      ...at.taken(
        "settles once that call is answered",
        "settles at once where it was answered before",
        "settles with the exception where it failed",
        "settles also where the peer finishes its call early: the results are owed to ours",
        "is nothing to us where we gave the call up: the peer's Finish cancels its own",
        "cancels that call when we give ours up, where the peer finished it before",
      ),
    ],
  ),
  supported(
    "Return.takeFromOtherQuestion/earlier",
    "That call was made before, asked to keep its results, and is not finished.",
    [
      ...at.taken(
        "is an abort where the peer never made that call",
        "is an abort where that call is finished",
        "is an abort where that call's results were to be sent to the peer",
      ),
    ],
  ),
  supported("Return.takeFromOtherQuestion/once", "Its results are taken only once.", [
    ...at.taken(
      "is an abort where another Return took them before, not answered yet",
      "is an abort where another Return took them before, answered yet",
    ),
  ]),
  deferred(
    "Return.acceptFromThirdParty",
    "The results are to be fetched from a third vat.",
    `${LEVEL_3} Such a Return fails its call.`,
    [
      ...at.unasked(
        "fails the call where it says that the results went elsewhere, or is of a kind that level 1 has not",
      ),
    ],
  ),
  supported(
    "Return.noFinishNeeded",
    "Results without capabilities may end the call at once; a Finish for it means nothing.",
    [
      ...at.connection("sends no Finish for results that hold no capability"),
      ...at.lateFinish("means nothing where the Return said that none is needed, and the id is free at once"),
    ],
  ),
];

export const FINISH: readonly Clause[] = [
  supported("Finish.questionId/results", "The caller makes no more calls on the results: they are let go.", [
    ...at.lateFinish("keeps the results for calls that are pipelined on them until then"),
  ]),
  supported(
    "Finish.questionId/cancel",
    "Before the Return it says that the result is not wanted: the call is cancelled.",
    [
      ...at.earlyFinish(
        "cancels the call, and is answered as canceled at once",
        "gives back what the params held, when the call has ended",
      ),
      ...at.connection("cancels a call at the callee, and takes no outcome from it any more"),
    ],
  ),
  supported("Finish.questionId/awaited", "It cancels nothing that a pipelined call still waits for.", [
    ...at.earlyFinish("cancels nothing that a call pipelined on it still waits for"),
  ]),
  supported("Finish.questionId/unknown", "One for what is long done, or was never asked, is ignored.", [
    ...at.hostile("may finish what is unknown or long done"),
  ]),
  supported(
    "Finish.releaseResultCaps",
    "Stands for one Release of each capability in the results; where false, those follow.",
    [
      ...at.lateFinish(
        "gives back what the results hold, with releaseResultCaps",
        "leaves it to Release without releaseResultCaps",
      ),
    ],
  ),
  supported(
    "Finish.requireEarlyCancellationWorkaround/true",
    "A call that is cancelled before it was delivered is delivered all the same, and then cancelled.",
    at.earlyFinish(
      "cancels a call that waits for a promise with requireEarlyCancellationWorkaround: it reaches its callee, and is cancelled there",
      "cancels a call that waits for another one with requireEarlyCancellationWorkaround: it reaches its callee, and is cancelled there",
    ),
  ),
  supported(
    "Finish.requireEarlyCancellationWorkaround/false",
    "A call that is cancelled before it was delivered never is.",
    at.earlyFinish(
      "cancels a call that waits for a promise without requireEarlyCancellationWorkaround: it never reaches its callee",
      "cancels a call that waits for another one without requireEarlyCancellationWorkaround: it never reaches its callee",
    ),
  ),
];
