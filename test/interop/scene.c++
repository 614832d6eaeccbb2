// Waiting, requests and checks that the scenarios share.
#include "scene.h"

#include <cstring>

namespace interop {

bool contains(kj::StringPtr text, kj::StringPtr part) { return strstr(text.cStr(), part.cStr()) != nullptr; }

void Scene::requireFailure(const kj::Exception& exception, ExceptionType type, kj::StringPtr text) {
  EXPECT(typeOf(exception) == type, "another type of exception", exception, text);
  bool sameReason = contains(exception.getDescription(), text);
  EXPECT(sameReason, "another reason", exception, text);
}

void Scene::eventually(kj::StringPtr what, kj::Function<bool()> condition) {
  auto deadline = io.timer().now() + 10 * kj::SECONDS;
  while (!condition()) {
    EXPECT(io.timer().now() < deadline, "did not come about within 10 seconds", what);
    io.timer().afterDelay(2 * kj::MILLISECONDS).wait(io.waitScope());
  }
}

capnp::RemotePromise<TargetResult> Scene::newTarget(kj::StringPtr name, int number) {
  auto request = server.newTargetRequest();
  request.setName(name);
  request.setNumber(number);
  return request.send();
}

capnp::RemotePromise<TargetResult> Scene::reflect(Target::Client target) {
  auto request = server.reflectRequest();
  request.setTarget(kj::mv(target));
  return request.send();
}

kj::Promise<int> Scene::call(Target::Client target, int n) {
  auto request = target.callRequest();
  request.setN(n);
  return request.send().then([](capnp::Response<CallResult>&& result) { return int(result.getN()); });
}

kj::Promise<kj::String> Scene::path(Target::Client target) {
  return target.pathRequest().send().then(
      [](capnp::Response<Target::PathResults>&& result) { return kj::str(result.getPath()); });
}

kj::Promise<int64_t> Scene::callTimes(Target::Client target, uint times) {
  auto request = server.callTimesRequest();
  request.setTarget(kj::mv(target));
  request.setTimes(times);
  return request.send().then(
      [](capnp::Response<InteropTest::CallTimesResults>&& result) { return result.getSum(); });
}

kj::Promise<int> Scene::tailCall(Target::Client target, int n) {
  auto request = server.tailCallRequest();
  request.setTarget(kj::mv(target));
  request.setN(n);
  return request.send().then([](capnp::Response<CallResult>&& result) { return int(result.getN()); });
}

Feeder::Client Scene::feed(Target::Client target) {
  auto request = server.feedRequest();
  request.setTarget(kj::mv(target));
  return request.send().getFeeder();
}

kj::Promise<void> Scene::feedSome(Feeder::Client feeder, uint count) {
  auto request = feeder.sendRequest();
  request.setCount(count);
  return request.send().ignoreResult();
}

void Scene::requireSequence(const std::vector<uint>& numbers, uint count) {
  EXPECT_EQUAL(numbers.size(), count);
  for (uint i = 0; i < count; i++) EXPECT(numbers[i] == i, "out of order", i, numbers[i]);
}

void Scene::requireSequence(Target::Client target, uint count) {
  auto result = wait(target.seenRequest().send());
  std::vector<uint> numbers;
  for (uint n : result.getNumbers()) numbers.push_back(n);
  requireSequence(numbers, count);
}

void runScenario(const Scenario& scenario, Io& io, TransportOptions options, kj::StringPtr where) {
  Scene scene(io, options, where);
  scenario.run(scene);
  // A scenario may have lost its connection: a new one asks the server.
  auto witness = scene.connect();
  scene.server = witness->bootstrap().castAs<InteropTest>();
  scene.eventually("the server has no object left", [&]() { return scene.serverObjects() == 0; });
  scene.eventually("the server runs no call", [&]() { return scene.serverHanging() == 0; });
  scene.eventually("the server holds no object of the client's", [&]() { return scene.counts.objects == 0; });
  EXPECT_EQUAL(scene.counts.hanging, 0u);
}

}  // namespace interop
