// Scenarios of how calls and connections end: cancellation, tail calls, streams, disconnects.
#include "scene.h"

namespace interop {

namespace {

constexpr auto DISCONNECTED = ExceptionType::DISCONNECTED;

void cancel(Scene& t) {
  uint before = t.serverCancelled();
  {
    auto first = t.server.hangRequest().send();
    auto second = t.server.hangRequest().send();
    EXPECT_EQUAL(t.serverHanging(), 2u);
    { auto dropped = kj::mv(first); }
    t.eventually("one is cancelled", [&]() { return t.serverHanging() == 1; });
    EXPECT_EQUAL(t.serverCancelled(), before + 1);
  }
  t.eventually("both are cancelled", [&]() { return t.serverCancelled() == before + 2; });
}

// A cancelled call of the client's is the server's cancelled call of another one, by a tail call or not.
void cancelThrough(Scene& t) {
  for (bool tail : {false, true}) {
    auto own = t.makeOwn("own", 0);
    uint before = t.counts.cancelled;
    {
      auto request = t.server.hangOnRequest();
      request.setTarget(own.client);
      request.setTail(tail);
      auto hanging = request.send();
      t.eventually("the server calls", [&]() { return t.counts.hanging == 1; });
    }
    t.eventually("the server cancels", [&]() { return t.counts.hanging == 0; });
    EXPECT_EQUAL(t.counts.cancelled, before + 1);
  }
}

// The server cancels a call on an object of the client's.
void cancelByTheServer(Scene& t) {
  auto own = t.makeOwn("own", 0);
  uint before = t.counts.cancelled;
  auto request = t.server.callAndCancelRequest();
  request.setTarget(own.client);
  EXPECT_EQUAL(kj::str(t.wait(request.send()).getPath()), kj::str("own"));
  t.eventually("it is cancelled", [&]() { return t.counts.cancelled == before + 1; });
  EXPECT_EQUAL(t.counts.hanging, 0u);
}

// A cancelled call lets go of what was in its parameters.
void cancelReleases(Scene& t) {
  {
    auto request = t.server.hangOnRequest();
    request.setTarget(t.makeOwn("own", 0).client);
    auto hanging = request.send();
    t.eventually("the server calls", [&]() { return t.counts.hanging == 1; });
  }
  t.eventually("the server let go", [&]() { return t.counts.objects == 0; });
}

void tailCalls(Scene& t) {
  auto own = t.makeOwn("own", 10);
  auto theirs = t.wait(t.newTarget("theirs", 20));
  EXPECT_EQUAL(t.wait(t.tailCall(own.client, 1)), 11);
  EXPECT_EQUAL(t.wait(t.tailCall(theirs.getTarget(), 1)), 21);
  EXPECT_EQUAL(t.wait(t.tailCall(t.newTarget("not there yet", 30).getTarget(), 1)), 31);
  t.expectFailure(t.tailCall(own.client, -1), ExceptionType::FAILED, "negative");
  t.expectFailure(t.tailCall(theirs.getTarget(), -1), ExceptionType::FAILED, "negative");
}

kj::Promise<kj::String> pathOfTailChild(Scene& t, Target::Client target, capnp::Response<TargetResult>* result) {
  auto request = t.server.tailChildRequest();
  request.setTarget(kj::mv(target));
  request.setName("child");
  auto promise = request.send();
  auto path = t.path(promise.getTarget());
  if (result != nullptr) *result = t.wait(kj::mv(promise));
  return path;
}

// Calls pipelined on a tail call's result, which is the caller's own object, or the callee's.
void tailCallsPipelined(Scene& t) {
  auto own = t.makeOwn("own", 0);
  auto theirs = t.wait(t.newTarget("theirs", 0));
  EXPECT_EQUAL(t.wait(pathOfTailChild(t, own.client, nullptr)), kj::str("own/child"));
  EXPECT_EQUAL(t.wait(pathOfTailChild(t, theirs.getTarget(), nullptr)), kj::str("theirs/child"));
  auto request = t.server.tailChildRequest();
  request.setTarget(own.client);
  request.setName("kept");
  auto kept = t.wait(request.send());
  EXPECT_EQUAL(t.wait(t.path(kept.getTarget())), kj::str("own/kept"));
}

// The client's object answers by a tail call of the server's.
void tailCallsByCallbacks(Scene& t) {
  auto theirs = t.wait(t.newTarget("theirs", 100));
  auto forwarding = t.makeActing([&](TargetCall context) {
    auto request = theirs.getTarget().callRequest();
    request.setN(context.getParams().getN());
    return context.tailCall(kj::mv(request));
  });
  EXPECT_EQUAL(t.wait(t.callTimes(forwarding, 4)), 406);
  // A tail call of a tail call.
  EXPECT_EQUAL(t.wait(t.tailCall(forwarding, 5)), 105);
  t.expectFailure(t.tailCall(forwarding, -1), ExceptionType::FAILED, "negative");
}

// Tail calls to and fro, ten deep.
void tailCallChain(Scene& t) {
  kj::Maybe<Target::Client> self;
  auto chain = t.makeActing([&](TargetCall context) -> kj::Promise<void> {
    int n = context.getParams().getN();
    if (n == 0) {
      context.getResults().setN(77);
      return kj::READY_NOW;
    }
    auto request = t.server.tailCallRequest();
    KJ_IF_MAYBE(it, self) request.setTarget(*it);
    request.setN(n - 1);
    return context.tailCall(kj::mv(request));
  });
  self = chain;
  EXPECT_EQUAL(t.wait(t.tailCall(chain, 10)), 77);
}

uint64_t sumOf(uint writes, uint size) {
  uint64_t sum = 0;
  for (uint i = 0; i < writes; i++) sum += uint64_t(i & 0xff) * size;
  return sum;
}

void requireTotals(StreamTotals::Reader totals, uint writes, uint size) {
  EXPECT_EQUAL(totals.getWrites(), writes);
  EXPECT_EQUAL(totals.getBytes(), uint64_t(writes) * size);
  EXPECT_EQUAL(totals.getSum(), sumOf(writes, size));
}

Stream::Client openStream(Scene& t, uint failAt) {
  auto request = t.server.openStreamRequest();
  request.setFailAt(failAt);
  return request.send().getStream();
}

void streaming(Scene& t) {
  requireTotals(t.wait(writeAll(openStream(t, 0), 300, 10000)), 300, 10000);
  requireTotals(t.wait(writeAll(openStream(t, 0), 0, 0)), 0, 0);
  // Several at once, none of which is ended.
  for (uint i = 0; i < 3; i++) {
    auto stream = openStream(t, 0);
    auto request = stream.writeRequest();
    request.setSequence(0);
    t.wait(request.send());
  }
}

void streamingByTheServer(Scene& t) {
  auto request = t.server.streamToRequest();
  request.setStream(kj::heap<StreamServer>(t.counts, 0));
  request.setWrites(300);
  request.setSize(10000);
  requireTotals(t.wait(request.send()), 300, 10000);
}

void streamingFails(Scene& t) {
  t.expectFailure(writeAll(openStream(t, 4), 100, 10), ExceptionType::FAILED, "stream failed at 4");
  auto request = t.server.streamToRequest();
  request.setStream(kj::heap<StreamServer>(t.counts, 7));
  request.setWrites(100);
  request.setSize(10);
  t.expectFailure(kj::Promise<capnp::Response<StreamTotals>>(request.send()), ExceptionType::FAILED, "stream failed at 7");
}

kj::Promise<bool> hangForever(InteropTest::Client server) {
  return server.hangRequest().send().then([](capnp::Response<InteropTest::HangResults>&&) { return true; });
}

// The server loses the connection; `text` is in the reason of whatever was pending.
void loseConnection(Scene& t, bool abort, kj::StringPtr text) {
  {
    auto connection = t.connect();
    auto server = connection->bootstrap().castAs<InteropTest>();
    uint cancelled = t.serverCancelled();
    auto held = t.wait(server.newTargetRequest().send());
    auto unresolved = t.wait(server.promiseRequest().send());
    auto onUnresolved = t.call(unresolved.getPromise(), 1);
    auto first = hangForever(server);
    auto second = hangForever(server);
    auto hangOn = server.hangOnRequest();
    hangOn.setTarget(t.makeOwn("own", 0).client);
    auto third = hangOn.send().then([](capnp::Response<Nothing>&&) { return true; });
    t.eventually("all calls run", [&]() { return t.counts.hanging == 1 && t.serverHanging() == 2; });

    auto drop = server.dropRequest();
    drop.setAbort(abort);
    auto dropping = drop.send().then([](capnp::Response<InteropTest::DropResults>&&) { return true; });
    t.expectFailure(kj::mv(dropping), DISCONNECTED, text);
    t.expectFailure(kj::mv(first), DISCONNECTED, text);
    t.expectFailure(kj::mv(second), DISCONNECTED, text);
    t.expectFailure(kj::mv(third), DISCONNECTED, text);
    t.expectFailure(kj::mv(onUnresolved), DISCONNECTED, text);
    t.wait(connection->onDisconnect());
    t.expectFailure(t.call(held.getTarget(), 1), DISCONNECTED, text);
    t.expectFailure(hangForever(server), DISCONNECTED, text);
    t.eventually("the server's calls are cancelled", [&]() { return t.serverCancelled() == cancelled + 2; });
    t.eventually("the client's call is cancelled", [&]() { return t.counts.hanging == 0; });
    t.eventually("the server's objects are gone", [&]() { return t.serverObjects() == 0; });
  }
}

void disconnect(Scene& t) { loseConnection(t, false, ""); }

void abortConnection(Scene& t) { loseConnection(t, true, "dropped on request"); }

void disconnectByTheClient(Scene& t) {
  uint cancelled = t.serverCancelled();
  {
    auto connection = t.connect();
    auto server = connection->bootstrap().castAs<InteropTest>();
    auto held = t.wait(server.newTargetRequest().send());
    auto put = server.putRequest();
    put.setName("lost");
    put.setTarget(t.makeOwn("own", 0).client);
    t.wait(put.send());
    auto hanging = hangForever(server);
    t.eventually("the call runs", [&]() { return t.serverHanging() == 1; });
    { auto lost = kj::mv(connection); }
  }
  t.eventually("the call is cancelled", [&]() { return t.serverCancelled() == cancelled + 1; });
  t.eventually("the server's objects are gone", [&]() { return t.serverObjects() == 0; });
  // What the server kept of it is broken.
  auto get = t.server.getRequest();
  get.setName("lost");
  Target::Client lost = t.wait(get.send()).getTarget();
  t.expectFailure(t.call(lost, 1), DISCONNECTED, "");
  auto takeOff = t.server.putRequest();
  takeOff.setName("lost");
  t.wait(takeOff.send());
}

constexpr Scenario SCENARIOS[] = {
    {"cancel"_kj, cancel},
    {"cancel-through"_kj, cancelThrough},
    {"cancel-by-the-server"_kj, cancelByTheServer},
    {"cancel-releases"_kj, cancelReleases},
    {"tail-calls"_kj, tailCalls},
    {"tail-calls-pipelined"_kj, tailCallsPipelined},
    {"tail-calls-by-callbacks"_kj, tailCallsByCallbacks},
    {"tail-call-chain"_kj, tailCallChain},
    {"streaming"_kj, streaming},
    {"streaming-by-the-server"_kj, streamingByTheServer},
    {"streaming-fails"_kj, streamingFails},
    {"disconnect"_kj, disconnect},
    {"abort"_kj, abortConnection},
    {"disconnect-by-the-client"_kj, disconnectByTheClient},
};

}  // namespace

kj::ArrayPtr<const Scenario> endingScenarios() { return SCENARIOS; }

}  // namespace interop
