# What two Cap'n Proto implementations ask of each other to prove that they speak the same protocol. Either end may be
# the server. Objects are few and their state is small, so that a server in any language is short.

@0x95475778e9d8f903;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("interop");

interface InteropTest {
  # The bootstrap capability. A server has one for all its connections, so that what one of them did shows on another.

  add @0 (a :Int32, b :Int32) -> (sum :Int32);

  echo @1 (value :Everything) -> (value :Everything);
  # The value, unchanged.

  newTarget @2 (name :Text, number :Int32) -> TargetResult;
  # A new object of the server's. Its path is `name`.

  newTargets @3 (count :UInt32) -> (targets :List(Target));
  # As many new objects, named "0", "1", … and with these numbers.

  newNested @4 (name :Text, number :Int32) -> Nested;
  # A new object behind two structs.

  reflect @5 (target :Target) -> TargetResult;
  # The capability that was given, null for null.

  callEach @6 (targets :List(Target), n :Int32) -> (results :List(Int32));
  # Calls `call(n)` on each, in order and without waiting between them. -1 stands for a null in the list.

  callTimes @7 (target :Target, times :UInt32) -> (sum :Int64);
  # Calls `call(0)`, `call(1)`, … on the target, waiting for each, and adds up what they return.

  status @8 () -> Status;

  promise @9 () -> (promise :Target, resolver :Resolver);
  # A capability that is a promise, and who decides what becomes of it. Returns at once.

  feed @10 (target :Target) -> (feeder :Feeder);
  # Who calls `next` on the target, when asked to.

  orderThrough @11 (target :Target, count :UInt32) -> (seen :List(UInt32));
  # The server gives a new object of its own to `target.give`, and at once calls `next(0)`, …, `next(count - 1)` on the
  # promised result; as many again, with the numbers that follow, when `give` has returned. Then what its object saw.

  fail @12 (type :ExceptionType, reason :Text) -> ();
  # Fails so.

  observe @13 (target :Target, n :Int32) -> (failed :Bool, type :ExceptionType, reason :Text);
  # Calls `call(n)` on the target, and tells how it failed, if it did.

  hang @14 () -> ();
  # Never returns. Counted in `status`.

  hangOn @15 (target :Target, tail :Bool) -> Nothing;
  # Returns when `target.hang` does: by a tail call, or by waiting for it. When this is cancelled, so is that.

  callAndCancel @16 (target :Target) -> (path :Text);
  # Calls `target.hang`, then `target.path`, and cancels the former when the latter has returned.

  tailCall @17 (target :Target, n :Int32) -> CallResult;
  # A tail call of `target.call(n)`.

  tailChild @18 (target :Target, name :Text) -> TargetResult;
  # A tail call of `target.child(name)`.

  openStream @19 (failAt :UInt32) -> (stream :Stream);
  # A stream whose write number `failAt` (the first is 1) fails as "stream failed at N", and 0 never.

  streamTo @20 (stream :Stream, writes :UInt32, size :UInt32) -> StreamTotals;
  # Writes so often, with so many bytes each, all of one write being its number modulo 256; then ends the stream, and
  # returns what its `end` did.

  drop @21 (abort :Bool) -> ();
  # Loses the connection that it came over, after an Abort with the reason "dropped on request", or without a word. Does
  # not return.

  put @22 (name :Text, target :Target) -> ();
  # Keeps a capability under a name, for every connection. Null takes it off.

  get @23 (name :Text) -> TargetResult;
  # Fails with "nothing is kept as NAME".

  struct Nested {
    outer @0 :Outer;
    struct Outer {
      note @0 :Text;
      inner @1 :TargetResult;
    }
  }

  struct Status {
    objects @0 :UInt32;
    # The server's live objects: every `Target`, `Resolver`, `Feeder` and `Stream` that it made and that somebody holds.
    hanging @1 :UInt32;
    # Calls of `hang` that run, on the bootstrap capability or on a `Target` of the server's.
    cancelled @2 :UInt32;
    # Such calls that were cancelled, ever.
  }
}

struct TargetResult {
  target @0 :Target;
}

struct CallResult {
  n @0 :Int32;
}

struct Nothing {}

interface Target {
  # An object of either end.

  call @0 (n :Int32) -> CallResult;
  # `n` plus the object's number. Fails as "negative" for an `n` below 0.

  path @1 () -> (path :Text);

  child @2 (name :Text) -> TargetResult;
  # A new object whose path is this one's, "/" and the name, and whose number is one more.

  next @3 (n :UInt32) -> ();
  # Remembers `n`.

  seen @4 () -> (numbers :List(UInt32));
  # What `next` was called with, in the order in which it was.

  give @5 (target :Target) -> TargetResult;
  # The capability that was given, null for null.

  hang @6 () -> Nothing;
  # Never returns.
}

interface Resolver {
  # Decides once. A second decision fails.

  resolve @0 (target :Target) -> ();
  # To whatever it is: an object of the server's or of the caller's, or another promise.

  reject @1 (type :ExceptionType, reason :Text) -> ();
}

interface Feeder {
  send @0 (count :UInt32) -> ();
  # Calls `next` on the target with as many of the numbers 0, 1, 2, … as are next, and returns without waiting for them.

  finish @1 () -> (sent :UInt32);
  # Waits for all of them. Fails as the first of them that did.
}

interface Stream {
  write @0 (sequence :UInt32, bytes :Data) -> stream;
  # Fails as "out of order" unless `sequence` counts 0, 1, 2, … Once a write has failed, so does all that follows.

  end @1 () -> StreamTotals;
}

struct StreamTotals {
  writes @0 :UInt32;
  bytes @1 :UInt64;
  sum @2 :UInt64;
  # Of the bytes' values.
}

enum ExceptionType {
  # In the order of `Exception.Type` in rpc.capnp.
  failed @0;
  overloaded @1;
  disconnected @2;
  unimplemented @3;
}

struct Everything {
  # One of each kind of field that changes how a message is laid out.
  flag @0 :Bool;
  int8 @1 :Int8;
  int16 @2 :Int16;
  int32 @3 :Int32;
  int64 @4 :Int64;
  uint64 @5 :UInt64;
  float32 @6 :Float32;
  float64 @7 :Float64;
  withDefault @8 :UInt32 = 12345;
  text @9 :Text;
  data @10 :Data;
  bits @11 :List(Bool);
  int16s @12 :List(Int16);
  float64s @13 :List(Float64);
  texts @14 :List(Text);
  lists @15 :List(List(UInt32));
  self @16 :Everything;
  structs @17 :List(Everything);
  target @18 :Target;
  any @19 :AnyPointer;
  union {
    nothing @20 :Void;
    number @21 :Int32;
    words @22 :Text;
  }
}
