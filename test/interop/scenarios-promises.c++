// Scenarios of promises: capabilities that resolve late, to whatever there is, and the order of calls across that.
#include "scene.h"

namespace interop {

namespace {

// A promise of the server's, and who decides it.
struct TheirPromise {
  Target::Client target;
  Resolver::Client resolver;
};

// `arrived`: the call has returned, and the capability itself is an unresolved promise. Otherwise calls go to the answer.
TheirPromise theirPromise(Scene& t, bool arrived) {
  auto promise = t.server.promiseRequest().send();
  if (!arrived) return {promise.getPromise(), promise.getResolver()};
  auto response = t.wait(kj::mv(promise));
  return {response.getPromise(), response.getResolver()};
}

kj::Promise<void> resolve(Resolver::Client resolver, Target::Client target) {
  auto request = resolver.resolveRequest();
  request.setTarget(kj::mv(target));
  return request.send().ignoreResult();
}

// Calls made before, while and after a promise of the server's resolves to `to` add up.
void resolveTheirs(Scene& t, bool arrived, Target::Client to, int number) {
  auto promise = theirPromise(t, arrived);
  auto before = t.call(promise.target, 1);
  auto resolving = resolve(promise.resolver, kj::mv(to));
  auto meanwhile = t.call(promise.target, 2);
  EXPECT_EQUAL(t.wait(kj::mv(before)), number + 1);
  EXPECT_EQUAL(t.wait(kj::mv(meanwhile)), number + 2);
  t.wait(kj::mv(resolving));
  t.wait(promise.target.whenResolved());
  EXPECT_EQUAL(t.wait(t.call(promise.target, 3)), number + 3);
}

void resolveTheirsEachWay(Scene& t, Target::Client to, int number) {
  resolveTheirs(t, false, to, number);
  resolveTheirs(t, true, to, number);
}

void toCallee(Scene& t) { resolveTheirsEachWay(t, t.wait(t.newTarget("theirs", 10)).getTarget(), 10); }

void toCaller(Scene& t) { resolveTheirsEachWay(t, t.makeOwn("own", 20).client, 20); }

void toPromise(Scene& t) {
  for (bool arrived : {false, true}) {
    auto first = theirPromise(t, arrived);
    auto second = theirPromise(t, arrived);
    auto own = t.makeOwn("own", 30);
    auto before = t.call(first.target, 1);
    t.wait(resolve(first.resolver, second.target));
    auto between = t.call(first.target, 2);
    auto onSecond = t.call(second.target, 3);
    t.wait(resolve(second.resolver, own.client));
    EXPECT_EQUAL(t.wait(kj::mv(before)), 31);
    EXPECT_EQUAL(t.wait(kj::mv(between)), 32);
    EXPECT_EQUAL(t.wait(kj::mv(onSecond)), 33);
    EXPECT_EQUAL(t.wait(t.call(first.target, 4)), 34);
  }
}

void toException(Scene& t) {
  for (bool arrived : {false, true}) {
    auto promise = theirPromise(t, arrived);
    auto before = t.call(promise.target, 1);
    auto request = promise.resolver.rejectRequest();
    request.setType(ExceptionType::OVERLOADED);
    request.setReason("no more of it");
    t.wait(request.send());
    t.expectFailure(kj::mv(before), ExceptionType::OVERLOADED, "no more of it");
    t.expectFailure(t.call(promise.target, 2), ExceptionType::OVERLOADED, "no more of it");
  }
}

// The server's promise resolves to a capability of another connection of its own.
void toThirdVat(Scene& t) {
  auto other = t.connect();
  auto put = other->bootstrap().castAs<InteropTest>().putRequest();
  put.setName("third");
  put.setTarget(t.makeOwn("own", 40).client);
  t.wait(put.send());
  auto get = t.server.getRequest();
  get.setName("third");
  resolveTheirsEachWay(t, t.wait(get.send()).getTarget(), 40);
  auto takeOff = t.server.putRequest();
  takeOff.setName("third");
  t.wait(takeOff.send());
}

// The client gives the server a promise of its own, which the server calls before it resolves to `to`.
void resolveOwn(Scene& t, kj::Promise<Target::Client> to, int64_t number) {
  auto paf = kj::newPromiseAndFulfiller<kj::Promise<Target::Client>>();
  Target::Client promise = paf.promise.then([](kj::Promise<Target::Client> to) { return kj::mv(to); });
  auto sum = t.callTimes(promise, 3);
  for (uint i = 0; i < 5; i++) t.pause();
  paf.fulfiller->fulfill(kj::mv(to));
  EXPECT_EQUAL(t.wait(kj::mv(sum)), 3 * number + 3);
}

void ownToOwn(Scene& t) { resolveOwn(t, t.makeOwn("own", 50).client, 50); }

void ownToTheirs(Scene& t) { resolveOwn(t, t.wait(t.newTarget("theirs", 60)).getTarget(), 60); }

void ownToAnswer(Scene& t) { resolveOwn(t, Target::Client(t.newTarget("promised", 70).getTarget()), 70); }

void ownToPromise(Scene& t) {
  auto second = kj::newPromiseAndFulfiller<Target::Client>();
  Target::Client promise = kj::mv(second.promise);
  auto own = t.makeOwn("own", 80);
  auto later = t.io.timer().afterDelay(5 * kj::MILLISECONDS).then([&]() { second.fulfiller->fulfill(kj::cp(own.client)); });
  auto eager = later.eagerlyEvaluate(nullptr);
  resolveOwn(t, promise, 80);
  t.wait(kj::mv(eager));
}

void ownToException(Scene& t) {
  auto paf = kj::newPromiseAndFulfiller<Target::Client>();
  auto sum = t.callTimes(kj::mv(paf.promise), 3);
  t.pause();
  paf.fulfiller->reject(exceptionOf(ExceptionType::OVERLOADED, "the caller gave up"));
  t.expectFailure(kj::mv(sum), ExceptionType::OVERLOADED, "the caller gave up");
}

// Sends numbers to `target`, one each turn, until some time after `until` is done. How many there were.
uint sendUntil(Scene& t, Target::Client target, kj::Promise<void> until) {
  bool done = false;
  auto watching = until.then([&]() { done = true; }).eagerlyEvaluate(nullptr);
  kj::Vector<kj::Promise<void>> sent;
  for (uint after = 0; after < 30; after += done ? 1 : 0) {
    EXPECT(sent.size() < 100000, "never done");
    sent.add(t.next(target, sent.size()));
    sent.add(t.next(target, sent.size()));
    t.pause();
  }
  uint count = sent.size();
  t.wait(kj::joinPromises(sent.releaseAsArray()));
  return count;
}

// The promise resolves by a Resolve message, to the caller's own object: what was sent before goes through the server.
void orderByResolve(Scene& t) {
  auto promise = theirPromise(t, true);
  auto own = t.makeOwn("own", 0);
  auto early = sendNext(promise.target, 0, 10);
  auto resolving = resolve(promise.resolver, own.client);
  auto late = sendNext(promise.target, 10, 10);
  t.wait(kj::mv(early));
  t.wait(kj::mv(late));
  t.wait(kj::mv(resolving));
  t.requireSequence(own.object.numbers, 20);

  auto second = theirPromise(t, true);
  auto ownToo = t.makeOwn("own too", 0);
  uint count = sendUntil(t, second.target, resolve(second.resolver, ownToo.client));
  t.requireSequence(ownToo.object.numbers, count);
}

// The promise is the answer of a call, which returns the caller's own object.
void orderByReturn(Scene& t) {
  auto own = t.makeOwn("own", 0);
  auto promise = t.reflect(own.client);
  Target::Client target = promise.getTarget();
  uint count = sendUntil(t, target, promise.ignoreResult());
  t.requireSequence(own.object.numbers, count);
}

// One promise resolves to another, and that to the caller's own object.
void orderByTwoResolves(Scene& t) {
  auto first = theirPromise(t, true);
  auto second = theirPromise(t, true);
  auto own = t.makeOwn("own", 0);
  auto resolving = resolve(first.resolver, second.target).then([&]() { return resolve(second.resolver, own.client); });
  uint count = sendUntil(t, first.target, kj::mv(resolving));
  t.requireSequence(own.object.numbers, count);
}

void orderToTheirs(Scene& t) {
  auto promise = theirPromise(t, true);
  auto theirs = t.wait(t.newTarget("theirs", 0));
  uint count = sendUntil(t, promise.target, resolve(promise.resolver, theirs.getTarget()));
  t.requireSequence(theirs.getTarget(), count);
}

// The same from the other end: the server feeds a promise of the client's, which resolves to the server's own object.
void orderOfTheirCalls(Scene& t) {
  auto theirs = t.wait(t.newTarget("theirs", 0));
  auto paf = kj::newPromiseAndFulfiller<Target::Client>();
  auto feeder = t.feed(kj::mv(paf.promise));
  kj::Vector<kj::Promise<void>> fed;
  for (uint i = 0; i < 60; i++) {
    fed.add(t.feedSome(feeder, 3));
    if (i == 20) paf.fulfiller->fulfill(theirs.getTarget());
    t.pause();
  }
  t.wait(kj::joinPromises(fed.releaseAsArray()));
  EXPECT_EQUAL(t.wait(feeder.finishRequest().send()).getSent(), 180u);
  t.requireSequence(theirs.getTarget(), 180);
}

// And with an answer of the client's that returns the server's own object.
void orderOfTheirPipelinedCalls(Scene& t) {
  auto own = t.makeOwn("own", 0);
  auto request = t.server.orderThroughRequest();
  request.setTarget(own.client);
  request.setCount(50);
  auto response = t.wait(request.send());
  std::vector<uint> numbers;
  for (uint n : response.getSeen()) numbers.push_back(n);
  t.requireSequence(numbers, 100);
}

constexpr Scenario SCENARIOS[] = {
    {"promise-to-callee"_kj, toCallee},
    {"promise-to-caller"_kj, toCaller},
    {"promise-to-promise"_kj, toPromise},
    {"promise-to-exception"_kj, toException},
    {"promise-to-third-vat"_kj, toThirdVat},
    {"own-promise-to-own"_kj, ownToOwn},
    {"own-promise-to-theirs"_kj, ownToTheirs},
    {"own-promise-to-answer"_kj, ownToAnswer},
    {"own-promise-to-promise"_kj, ownToPromise},
    {"own-promise-to-exception"_kj, ownToException},
    {"order-by-resolve"_kj, orderByResolve},
    {"order-by-return"_kj, orderByReturn},
    {"order-by-two-resolves"_kj, orderByTwoResolves},
    {"order-to-theirs"_kj, orderToTheirs},
    {"order-of-their-calls"_kj, orderOfTheirCalls},
    {"order-of-their-pipelined-calls"_kj, orderOfTheirPipelinedCalls},
};

}  // namespace

kj::ArrayPtr<const Scenario> promiseScenarios() { return SCENARIOS; }

}  // namespace interop
