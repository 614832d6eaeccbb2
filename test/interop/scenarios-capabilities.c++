// Scenarios of capabilities: pipelining, callbacks, capabilities in messages, release, proxying.
#include "scene.h"

namespace interop {

namespace {

void pipelining(Scene& t) {
  // Not even the bootstrap capability has arrived when the last of these calls is sent.
  auto connection = t.connect();
  auto server = connection->bootstrap().castAs<InteropTest>();
  auto request = server.newTargetRequest();
  request.setName("root");
  request.setNumber(10);
  Target::Client target = request.send().getTarget();
  for (uint level = 0; level < 8; level++) {
    auto child = target.childRequest();
    child.setName(kj::str(level));
    target = child.send().getTarget();
  }
  EXPECT_EQUAL(t.wait(t.path(target)), kj::str("root/0/1/2/3/4/5/6/7"));
  EXPECT_EQUAL(t.wait(t.call(target, 100)), 118);
}

void pipeliningThroughStructs(Scene& t) {
  auto request = t.server.newNestedRequest();
  request.setName("deep");
  request.setNumber(3);
  auto promise = request.send();
  auto sum = t.call(promise.getOuter().getInner().getTarget(), 4);
  EXPECT_EQUAL(t.wait(kj::mv(sum)), 7);
  auto result = t.wait(kj::mv(promise));
  EXPECT_EQUAL(kj::str(result.getOuter().getNote()), kj::str("behind two structs"));
  EXPECT_EQUAL(t.wait(t.path(result.getOuter().getInner().getTarget())), kj::str("deep"));
}

// Calls on the result of a call that fails fail as it did; calls on a null do too.
void pipeliningOnFailures(Scene& t) {
  auto request = t.server.getRequest();
  request.setName("nothing of the kind");
  Target::Client broken = request.send().getTarget();
  auto child = broken.childRequest();
  child.setName("child");
  Target::Client brokenChild = child.send().getTarget();
  t.expectFailure(t.path(brokenChild), ExceptionType::FAILED, "nothing is kept as nothing of the kind");
  t.expectFailure(t.path(broken), ExceptionType::FAILED, "nothing is kept as nothing of the kind");

  Target::Client null = t.server.reflectRequest().send().getTarget();
  bool failed = t.wait(t.path(null).then([](kj::String&&) { return false; }, [](kj::Exception&&) { return true; }));
  EXPECT(failed, "a null was called");
  EXPECT_EQUAL(t.wait(t.callTimes(t.makeOwn("after", 1).client, 1)), 1);
}

void callbacks(Scene& t) {
  auto own = t.makeOwn("own", 100);
  EXPECT_EQUAL(t.wait(t.callTimes(own.client, 10)), 1045);
}

// The server calls the client, who calls the server, and so on, eight levels deep.
void nestedCallbacks(Scene& t) {
  kj::Maybe<Target::Client> self;
  auto target = t.makeActing([&](TargetCall context) -> kj::Promise<void> {
    int n = context.getParams().getN();
    if (n == 0) return kj::READY_NOW;
    auto request = t.server.callEachRequest();
    request.setN(n - 1);
    KJ_IF_MAYBE(it, self) request.initTargets(1).set(0, *it);
    return request.send().then([context](capnp::Response<InteropTest::CallEachResults>&& response) mutable {
      context.getResults().setN(response.getResults()[0] + 1);
    });
  });
  self = target;
  EXPECT_EQUAL(t.wait(t.call(t.wait(t.reflect(target)).getTarget(), 8)), 8);
  auto request = t.server.callEachRequest();
  request.setN(8);
  request.initTargets(1).set(0, target);
  EXPECT_EQUAL(t.wait(request.send()).getResults()[0], 8);
}

void capabilitiesInParams(Scene& t) {
  auto own = t.makeOwn("own", 1);
  auto theirs = t.wait(t.newTarget("theirs", 1000));
  auto request = t.server.callEachRequest();
  request.setN(5);
  auto list = request.initTargets(5);
  list.set(0, own.client);
  list.set(1, theirs.getTarget());
  // 2 stays null.
  list.set(3, own.client);
  list.set(4, t.newTarget("not there yet", 7).getTarget());
  auto results = t.wait(request.send());
  int expected[] = {6, 1005, -1, 6, 12};
  EXPECT_EQUAL(results.getResults().size(), 5u);
  for (uint i = 0; i < 5; i++) EXPECT_EQUAL(results.getResults()[i], expected[i]);
}

void capabilitiesInResults(Scene& t) {
  auto request = t.server.newTargetsRequest();
  request.setCount(40);
  auto response = t.wait(request.send());
  EXPECT_EQUAL(response.getTargets().size(), 40u);
  for (uint i = 0; i < 40; i++) {
    Target::Client target = response.getTargets()[i];
    EXPECT_EQUAL(t.wait(t.path(target)), kj::str(i));
    EXPECT_EQUAL(t.wait(t.call(target, 1)), int(i) + 1);
  }
}

void reflection(Scene& t) {
  auto own = t.makeOwn("own", 1);
  auto back = t.wait(t.reflect(own.client));
  EXPECT_EQUAL(t.wait(t.call(back.getTarget(), 1)), 2);
  auto theirs = t.wait(t.newTarget("theirs", 2));
  auto again = t.wait(t.reflect(theirs.getTarget()));
  EXPECT_EQUAL(t.wait(t.path(again.getTarget())), kj::str("theirs"));
  EXPECT(!t.wait(t.server.reflectRequest().send()).hasTarget());
  // Once more, on promises for both.
  EXPECT_EQUAL(t.wait(t.call(t.reflect(t.reflect(own.client).getTarget()).getTarget(), 4)), 5);
  EXPECT_EQUAL(t.wait(t.call(t.reflect(t.newTarget("new", 5).getTarget()).getTarget(), 4)), 9);
}

void releaseOfResults(Scene& t) {
  auto request = t.server.newTargetsRequest();
  request.setCount(100);
  {
    auto response = t.wait(request.send());
    EXPECT_EQUAL(t.serverObjects(), 100u);
    Target::Client kept = response.getTargets()[42];
    { auto dropped = kj::mv(response); }
    t.eventually("99 are gone", [&]() { return t.serverObjects() == 1; });
    EXPECT_EQUAL(t.wait(t.path(kept)), kj::str("42"));
  }
  t.eventually("all are gone", [&]() { return t.serverObjects() == 0; });
}

void releaseOfParams(Scene& t) {
  {
    auto request = t.server.callEachRequest();
    auto list = request.initTargets(50);
    for (uint i = 0; i < 50; i++) list.set(i, t.makeOwn("own", i).client);
    t.wait(request.send());
  }
  t.eventually("the server let go", [&]() { return t.counts.objects == 0; });
  // What the server keeps stays.
  auto put = t.server.putRequest();
  put.setName("kept");
  put.setTarget(t.makeOwn("kept", 1).client);
  t.wait(put.send());
  EXPECT_EQUAL(t.counts.objects, 1u);
  auto takeOff = t.server.putRequest();
  takeOff.setName("kept");
  t.wait(takeOff.send());
  t.eventually("it is gone too", [&]() { return t.counts.objects == 0; });
}

// Results that nobody waits for, and references that were counted several times.
void releaseOfUnread(Scene& t) {
  for (uint i = 0; i < 20; i++) { auto dropped = t.newTarget("unread", i); }
  t.eventually("the unread are gone", [&]() { return t.serverObjects() == 0; });
  auto pipelined = t.path(t.newTarget("only pipelined", 0).getTarget());
  t.wait(kj::mv(pipelined));
  t.eventually("the pipelined is gone", [&]() { return t.serverObjects() == 0; });

  auto theirs = t.wait(t.newTarget("often", 0));
  auto request = t.server.callEachRequest();
  auto list = request.initTargets(10);
  for (uint i = 0; i < 10; i++) list.set(i, theirs.getTarget());
  t.wait(request.send());
  for (uint i = 0; i < 10; i++) t.wait(t.reflect(theirs.getTarget()));
  EXPECT_EQUAL(t.serverObjects(), 1u);
  EXPECT_EQUAL(t.wait(t.path(theirs.getTarget())), kj::str("often"));
}

// The client passes what it got over one connection on over another one.
void proxying(Scene& t) {
  auto other = t.connect();
  auto server = other->bootstrap().castAs<InteropTest>();
  auto far = t.wait(t.newTarget("far", 10));
  auto request = server.callTimesRequest();
  request.setTarget(far.getTarget());
  request.setTimes(4);
  EXPECT_EQUAL(t.wait(request.send()).getSum(), 46);

  auto pipelined = server.callTimesRequest();
  pipelined.setTarget(t.newTarget("far and promised", 20).getTarget());
  pipelined.setTimes(2);
  EXPECT_EQUAL(t.wait(pipelined.send()).getSum(), 41);

  // Two hops there, and the results of a call that the client only passes on.
  auto child = server.tailChildRequest();
  child.setTarget(far.getTarget());
  child.setName("child");
  EXPECT_EQUAL(t.wait(t.path(child.send().getTarget())), kj::str("far/child"));
}

void proxyingKeepsOrder(Scene& t) {
  auto other = t.connect();
  auto server = other->bootstrap().castAs<InteropTest>();
  auto target = t.newTarget("far", 0);
  auto request = server.feedRequest();
  request.setTarget(target.getTarget());
  auto feeder = request.send().getFeeder();
  auto sent = kj::heapArrayBuilder<kj::Promise<void>>(20);
  for (uint i = 0; i < 20; i++) {
    sent.add(t.feedSome(feeder, 5));
    t.pause();
  }
  t.wait(kj::joinPromises(sent.finish()));
  EXPECT_EQUAL(t.wait(feeder.finishRequest().send()).getSent(), 100u);
  t.requireSequence(t.wait(kj::mv(target)).getTarget(), 100);
}

// The server passes what it got over one connection on over another one.
void proxyingByTheServer(Scene& t) {
  auto other = t.connect();
  auto server = other->bootstrap().castAs<InteropTest>();
  auto own = t.makeOwn("own", 30);
  auto put = t.server.putRequest();
  put.setName("shelf");
  put.setTarget(own.client);
  t.wait(put.send());
  {
    auto get = server.getRequest();
    get.setName("shelf");
    auto promise = get.send();
    auto early = t.call(promise.getTarget(), 1);
    auto got = t.wait(kj::mv(promise));
    EXPECT_EQUAL(t.wait(kj::mv(early)), 31);
    auto child = got.getTarget().childRequest();
    child.setName("child");
    EXPECT_EQUAL(t.wait(t.path(child.send().getTarget())), kj::str("own/child"));
    for (uint i = 0; i < 50; i++) t.next(got.getTarget(), i).detach([](kj::Exception&&) {});
    t.wait(t.path(got.getTarget()));
    t.requireSequence(own.object.numbers, 50);
  }
  auto takeOff = t.server.putRequest();
  takeOff.setName("shelf");
  t.wait(takeOff.send());
}

constexpr Scenario SCENARIOS[] = {
    {"pipelining"_kj, pipelining},
    {"pipelining-through-structs"_kj, pipeliningThroughStructs},
    {"pipelining-on-failures"_kj, pipeliningOnFailures},
    {"callbacks"_kj, callbacks},
    {"nested-callbacks"_kj, nestedCallbacks},
    {"capabilities-in-params"_kj, capabilitiesInParams},
    {"capabilities-in-results"_kj, capabilitiesInResults},
    {"reflection"_kj, reflection},
    {"release-of-results"_kj, releaseOfResults},
    {"release-of-params"_kj, releaseOfParams},
    {"release-of-unread"_kj, releaseOfUnread},
    {"proxying"_kj, proxying},
    {"proxying-keeps-order"_kj, proxyingKeepsOrder},
    {"proxying-by-the-server"_kj, proxyingByTheServer},
};

}  // namespace

kj::ArrayPtr<const Scenario> capabilityScenarios() { return SCENARIOS; }

}  // namespace interop
