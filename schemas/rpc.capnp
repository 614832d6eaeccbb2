# Cap'n Proto RPC as Capstan speaks it: level 1 of the standard. The ids, names and ordinals are the standard's own, up
# to its newest fields; the comments are ours and say what Capstan needs to know. "Sender" and "receiver" are those of
# the message in question. Ids are always named from the sender's side.

@0xb312981b2552a250;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("capnp::rpc");

using QuestionId = UInt32;
# Names a call within one connection. The caller picks it, and may pick it again once it has both received the Return
# and sent the Finish (or was told that none is needed).

using AnswerId = QuestionId;
# A QuestionId seen from the end that answers.

using ExportId = UInt32;
# Names a capability that the sender hosts or passes on. It is counted: each time it stands in a cap table, or in a
# Resolve's descriptor, the receiver holds one reference more, and gives them back by Release.

using ImportId = ExportId;
# An ExportId seen from the end that holds the capability.

struct Message {
  # Everything that goes over a connection is one of these.

  union {
    unimplemented @0 :Message;
    # A message that the sender got and does not know, sent back whole. Never answered by another one.

    abort @1 :Exception;
    # The sender gives the connection up, and this is why. Nothing follows.

    call @2 :Call;
    return @3 :Return;
    finish @4 :Finish;

    resolve @5 :Resolve;
    release @6 :Release;

    obsoleteSave @7 :AnyPointer;
    # Never in use.

    bootstrap @8 :Bootstrap;

    obsoleteDelete @9 :AnyPointer;
    # Never in use.

    provide @10 :Provide;
    accept @11 :Accept;
    # Level 3: Capstan answers both with unimplemented.

    join @12 :Join;
    # Level 4: likewise.

    disembargo @13 :Disembargo;
  }
}

struct Bootstrap {
  # Asks for the capability with which everything begins. Its Return has that capability itself as content.

  questionId @0 :QuestionId;

  deprecatedObjectId @1 :AnyPointer;
  # Once chose among several. Written as null, ignored when read.
}

struct Call {
  # Calls a method.

  questionId @0 :QuestionId;
  # Under it the results will come, and calls can be made on them before they are there.

  target @1 :MessageTarget;

  interfaceId @2 :UInt64;
  methodId @3 :UInt16;
  # The method: number `methodId` of the interface with that type id.

  params @4 :Payload;
  # Content is a struct with the method's parameters as fields.

  sendResultsTo :union {
    caller @5 :Void;
    # As usual.

    yourself @6 :Void;
    # The receiver keeps the results, and answers with resultsSentElsewhere. The sender will name this call in a Return
    # of its own, as takeFromOtherQuestion: the results then need not travel to and fro.

    thirdParty @7 :RecipientId;
    # Level 3.
  }

  allowThirdPartyTailCall @8 :Bool = false;
  # Level 3: whether acceptFromThirdParty is a possible answer.

  noPromisePipelining @9 :Bool = false;
  # The sender promises to make no calls on the results before they have come.

  onlyPromisePipeline @10 :Bool = false;
  # The sender only makes calls on the results, and wants no Return with them. What it still gets does not matter.
}

struct Return {
  # Answers a Call or a Bootstrap.

  answerId @0 :AnswerId;

  releaseParamCaps @1 :Bool = true;
  # The receiver shall take back one reference for each export in the call's cap table, as by Release.

  union {
    results @2 :Payload;
    exception @3 :Exception;

    canceled @4 :Void;
    # The caller had sent Finish and got its wish.

    resultsSentElsewhere @5 :Void;
    # To where Call.sendResultsTo said.

    takeFromOtherQuestion @6 :QuestionId;
    # The results are those of a call that the sender made to the receiver with sendResultsTo.yourself.

    acceptFromThirdParty @7 :ThirdPartyCapId;
    # Level 3.
  }

  noFinishNeeded @8 :Bool = false;
  # There is no capability in the results, and the sender has forgotten the call: no Finish need follow. One that does
  # all the same means nothing.
}

struct Finish {
  # The sender is done with a question of its own. Without a Return so far it also means that the result is not wanted.

  questionId @0 :QuestionId;

  releaseResultCaps @1 :Bool = true;
  # The receiver shall take back one reference for each export in the results, as by Release.

  requireEarlyCancellationWorkaround @2 :Bool = true;
  # Set by senders that cannot bear it when a call is cancelled before it was delivered.
}

struct Resolve {
  # Tells what a promise of the sender's turned out to be.

  promiseId @0 :ExportId;
  # Counts no reference. A promise that the receiver has released meanwhile is nothing wrong: the receiver then only
  # releases what this message carries.

  union {
    cap @1 :CapDescriptor;
    # From here on the sender passes on everything that arrives for `promiseId` to just this, and to nothing that this
    # may become in turn.

    exception @2 :Exception;
  }
}

struct Release {
  # Gives references back.

  id @0 :ImportId;
  referenceCount @1 :UInt32;
}

struct Disembargo {
  # Travels behind earlier calls on a path that is about to be given up for a shorter one: once it has come through,
  # those calls have, and new calls may take the shorter path without overtaking them.

  target @0 :MessageTarget;
  # The old path.

  using EmbargoId = UInt32;

  context :union {
    senderLoopback @1 :EmbargoId;
    # The path leads back to the sender. The receiver returns the message as receiverLoopback, behind all that it has
    # sent back so far.

    receiverLoopback @2 :EmbargoId;
    # The receiver's own senderLoopback, coming back.

    accept @3 :Void;
    provide @4 :QuestionId;
    # Level 3.
  }
}

struct Provide {
  # Level 3: holds a capability ready for another vat.

  questionId @0 :QuestionId;
  target @1 :MessageTarget;
  recipient @2 :RecipientId;
}

struct Accept {
  # Level 3: fetches what a Provide holds ready.

  questionId @0 :QuestionId;
  provision @1 :ProvisionId;
  embargo @2 :Bool;
}

struct Join {
  # Level 4: asks whether capabilities are the same.

  questionId @0 :QuestionId;
  target @1 :MessageTarget;
  keyPart @2 :JoinKeyPart;
}

struct MessageTarget {
  union {
    importedCap @0 :ImportId;
    # A capability that the receiver hosts.

    promisedAnswer @1 :PromisedAnswer;
    # A capability within results that the receiver has not sent yet, or not long ago.
  }
}

struct Payload {
  # Params or results.

  content @0 :AnyPointer;
  # Capabilities in it are indexes into `capTable`.

  capTable @1 :List(CapDescriptor);
}

struct CapDescriptor {
  # A capability on its way.

  union {
    none @0 :Void;
    # A null capability.

    senderHosted @1 :ExportId;

    senderPromise @2 :ExportId;
    # Like senderHosted, and the sender will send one Resolve for it, however often it stands in a cap table.

    receiverHosted @3 :ImportId;
    # A capability of the receiver's own, which it gets back.

    receiverAnswer @4 :PromisedAnswer;
    # A capability of the receiver's own that it has not given a name yet.

    thirdPartyHosted @5 :ThirdPartyCapDescriptor;
    # Level 3; at level 1 its vine is used instead.
  }

  attachedFd @6 :UInt8 = 0xff;
  # Index of a file descriptor where the transport carries some. WebSockets do not.
}

struct PromisedAnswer {
  # A place in the results of a call.

  questionId @0 :QuestionId;

  transform @1 :List(Op);
  # The way from the results' content to the place.

  struct Op {
    union {
      noop @0 :Void;

      getPointerField @1 :UInt16;
      # Through pointer number N of a struct: its index among the pointers, which no schema is needed for.
    }
  }
}

struct ThirdPartyCapDescriptor {
  # Level 3: a capability of neither end.

  id @0 :ThirdPartyCapId;

  vineId @1 :ExportId;
  # An export of the sender's that passes calls on, for whoever does not know third parties.
}

struct Exception {
  # Why something failed.

  reason @0 :Text;
  # For people. Capstan puts `jsg.TypeError: ` and the like in front of messages of JavaScript errors.

  obsoleteIsCallersFault @1 :Bool;
  obsoleteDurability @2 :UInt16;
  # Ignored.

  type @3 :Type;
  # What the caller might do about it.

  enum Type {
    failed @0;
    # Nothing: it would fail again.

    overloaded @1;
    # Try again, but later.

    disconnected @2;
    # Get the capabilities anew, then try again.

    unimplemented @3;
    # Try an older method that does the same.
  }

  trace @4 :Text;
  # The sender's stack, if it tells.

  details @5 :List(Detail);
  # For programs.

  struct Detail {
    detailId @0 :UInt64;
    # What kind of detail: any id that nobody else uses. Capstan puts the thrown value under 0xe8027292171b1646.

    data @1 :Data;
  }
}

# What these are is for the network to say that a connection belongs to. Capstan's has none of them.
using SturdyRef = AnyPointer;
using ProvisionId = AnyPointer;
using RecipientId = AnyPointer;
using ThirdPartyCapId = AnyPointer;
using JoinKeyPart = AnyPointer;
using JoinResult = AnyPointer;
