// Scenarios of plain calls: values of every kind, many in flight, large and torn messages, exceptions.
#include <capnp/any.h>

#include "scene.h"
#include "tear.h"

namespace interop {

namespace {

void bootstrap(Scene& t) {
  auto request = t.server.addRequest();
  request.setA(1);
  request.setB(2);
  EXPECT_EQUAL(t.wait(request.send()).getSum(), 3);
}

kj::Promise<int> add(InteropTest::Client server, int a, int b) {
  auto request = server.addRequest();
  request.setA(a);
  request.setB(b);
  return request.send().then(
      [](capnp::Response<InteropTest::AddResults>&& result) { return int(result.getSum()); });
}

void callsInFlight(Scene& t) {
  constexpr int COUNT = 500;
  auto calls = kj::heapArrayBuilder<kj::Promise<int>>(COUNT);
  for (int i = 0; i < COUNT; i++) calls.add(add(t.server, i, -2 * i));
  auto sums = t.wait(kj::joinPromises(calls.finish()));
  for (int i = 0; i < COUNT; i++) EXPECT_EQUAL(sums[i], -i);
}

void fill(Everything::Builder value, uint depth) {
  value.setFlag(true);
  value.setInt8(-128);
  value.setInt16(-32768);
  value.setInt32(-2147483647 - 1);
  value.setInt64(INT64_MIN);
  value.setUint64(UINT64_MAX);
  value.setFloat32(1.5f);
  value.setFloat64(-0.0);
  value.setWithDefault(54321);
  value.setText("größer ≥ 😀");
  value.setData(kj::arrayPtr(reinterpret_cast<const kj::byte*>("\x00\xff\x80 bytes"), 9));
  value.setBits({true, false, true, true, false, true, false, true, true});
  value.setInt16s({1, -2, 3});
  value.setFloat64s({0.5, 1e300, -1e-300});
  value.setTexts({"", "a", "a text of more than eight bytes"});
  auto lists = value.initLists(3);
  lists.set(0, {1, 2, 3});
  lists.init(1, 0);
  lists.set(2, {4294967295u});
  value.getAny().setAs<capnp::Text>("anything");
  if (depth % 3 == 1) value.setNumber(7);
  if (depth % 3 == 2) value.setWords("seven");
  if (depth == 0) return;
  fill(value.initSelf(), depth - 1);
  auto structs = value.initStructs(3);
  for (auto element : structs) fill(element, depth - 1);
}

// Echoes a nested value over `server`, and looks at what comes back.
void echoEverything(Scene& t, InteropTest::Client server, uint depth) {
  auto own = t.makeOwn("in a value", 5);
  auto request = server.echoRequest(capnp::MessageSize{4, 0});
  fill(request.initValue(), depth);
  capnp::MallocMessageBuilder expected;
  expected.setRoot(request.getValue().asReader());
  request.getValue().setTarget(own.client);

  auto response = t.wait(request.send());
  EXPECT_EQUAL(t.wait(t.call(response.getValue().getTarget(), 1)), 6);
  capnp::MallocMessageBuilder withoutTarget;
  withoutTarget.setRoot(response.getValue());
  withoutTarget.getRoot<Everything>().disownTarget();
  auto same = capnp::AnyStruct::Reader(withoutTarget.getRoot<Everything>().asReader())
                  .equals(expected.getRoot<Everything>().asReader());
  EXPECT(same == capnp::Equality::EQUAL, "the value changed", same, response.getValue());
}

void values(Scene& t) {
  echoEverything(t, t.server, 2);
  // Nothing set: only defaults and nulls.
  auto response = t.wait(t.server.echoRequest().send());
  EXPECT_EQUAL(response.getValue().getWithDefault(), 12345u);
  EXPECT(!response.getValue().hasTarget() && !response.getValue().hasText());
}

void large(Scene& t) {
  constexpr size_t SIZE = (8u << 20) + 5;
  auto request = t.server.echoRequest();
  auto bytes = request.initValue().initData(SIZE);
  for (size_t i = 0; i < SIZE; i++) bytes[i] = i * 31 + (i >> 11);
  auto response = t.wait(request.send());
  auto back = response.getValue().getData();
  EXPECT_EQUAL(back.size(), SIZE);
  for (size_t i = 0; i < SIZE; i++) {
    if (back[i] != static_cast<kj::byte>(i * 31 + (i >> 11))) KJ_FAIL_REQUIRE("a byte changed", i);
  }
  EXPECT_EQUAL(t.wait(add(t.server, 20, 3)), 23);
}

// Many segments as the library itself makes them: a small first one, and objects that are allocated before their place.
void segments(Scene& t) {
  constexpr uint COUNT = 300;
  auto request = t.server.echoRequest(capnp::MessageSize{4, 0});
  auto orphanage = capnp::Orphanage::getForMessageContaining(InteropTest::EchoParams::Builder(request));
  auto texts = orphanage.newOrphan<capnp::List<capnp::Text>>(COUNT);
  for (uint i = 0; i < COUNT; i++) {
    auto text = orphanage.newOrphan<capnp::Text>(i * 7);
    memset(text.get().begin(), 'a' + i % 26, i * 7);
    texts.get().adopt(i, kj::mv(text));
  }
  request.initValue().adoptTexts(kj::mv(texts));
  auto response = t.wait(request.send());
  auto back = response.getValue().getTexts();
  EXPECT_EQUAL(back.size(), COUNT);
  for (uint i = 0; i < COUNT; i++) {
    EXPECT_EQUAL(back[i].size(), size_t(i * 7));
    for (char c : back[i]) EXPECT_EQUAL(c, char('a' + i % 26));
  }
}

// Every object of every message behind a far pointer, half of them double.
void tornSegments(Scene& t) {
  auto connection = t.connect(true);
  auto server = connection->bootstrap().castAs<InteropTest>();
  TearCounts before = torn;
  for (uint depth = 0; depth < 4; depth++) echoEverything(t, server, depth);
  auto request = server.callEachRequest();
  request.setN(1);
  auto targets = request.initTargets(50);
  for (uint i = 0; i < targets.size(); i++) targets.set(i, t.makeOwn("torn", i).client);
  auto response = t.wait(request.send());
  for (uint i = 0; i < targets.size(); i++) EXPECT_EQUAL(response.getResults()[i], int(i) + 1);
  EXPECT(torn.far > before.far + 100, torn.far, before.far);
  EXPECT(torn.doubleFar > before.doubleFar + 100, torn.doubleFar, before.doubleFar);
}

kj::Promise<void> fail(InteropTest::Client server, ExceptionType type, kj::StringPtr reason) {
  auto request = server.failRequest();
  request.setType(type);
  request.setReason(reason);
  return request.send().ignoreResult();
}

constexpr ExceptionType TYPES[] = {ExceptionType::FAILED, ExceptionType::OVERLOADED, ExceptionType::DISCONNECTED,
                                   ExceptionType::UNIMPLEMENTED};

void exceptions(Scene& t) {
  for (auto type : TYPES) {
    auto failed = fail(t.server, type, kj::str("on purpose: ", type)).then([]() { return true; });
    t.expectFailure(kj::mv(failed), type, kj::str("on purpose: ", type));
  }
  // None of them hurts the connection, "disconnected" neither.
  EXPECT_EQUAL(t.wait(add(t.server, 1, 1)), 2);
}

void exceptionsOfCallbacks(Scene& t) {
  auto failing = t.makeActing([](TargetCall context) -> kj::Promise<void> {
    auto type = static_cast<ExceptionType>(context.getParams().getN());
    return exceptionOf(type, kj::str("of the caller: ", type));
  });
  for (auto type : TYPES) {
    auto request = t.server.observeRequest();
    request.setTarget(failing);
    request.setN(static_cast<int>(type));
    auto seen = t.wait(request.send());
    EXPECT(seen.getFailed());
    EXPECT(seen.getType() == type, seen.getType(), type);
    bool sameReason = contains(seen.getReason(), kj::str("of the caller: ", type));
    EXPECT(sameReason, seen.getReason());
  }
}

// Calls a method that the other end cannot know.
kj::Promise<bool> callUnknown(capnp::Capability::Client target, uint64_t interfaceId, uint16_t methodId) {
  auto request = target.typelessRequest(interfaceId, methodId, nullptr);
  return request.send().then([](capnp::Response<capnp::AnyPointer>&&) { return true; });
}

void unknownMethods(Scene& t) {
  constexpr auto UNIMPLEMENTED = ExceptionType::UNIMPLEMENTED;
  uint64_t known = capnp::typeId<InteropTest>();
  t.expectFailure(callUnknown(t.server, known, 999), UNIMPLEMENTED, "");
  t.expectFailure(callUnknown(t.server, known + 1, 0), UNIMPLEMENTED, "");
  auto result = t.wait(t.newTarget("known", 0));
  t.expectFailure(callUnknown(result.getTarget(), capnp::typeId<Target>(), 77), UNIMPLEMENTED, "");
  t.expectFailure(callUnknown(result.getTarget(), known, 0), UNIMPLEMENTED, "");
  EXPECT_EQUAL(t.wait(t.call(result.getTarget(), 1)), 1);
}

// The server calls a method that the client's object does not have.
void unknownMethodsOfCallbacks(Scene& t) {
  capnp::Capability::Client stream = kj::heap<StreamServer>(t.counts, 0);
  auto request = t.server.observeRequest();
  request.setTarget(stream.castAs<Target>());
  auto seen = t.wait(request.send());
  EXPECT(seen.getFailed());
  EXPECT(seen.getType() == ExceptionType::UNIMPLEMENTED, seen.getType(), seen.getReason());
}

constexpr Scenario SCENARIOS[] = {
    {"bootstrap"_kj, bootstrap},
    {"calls-in-flight"_kj, callsInFlight},
    {"values"_kj, values},
    {"large"_kj, large},
    {"segments"_kj, segments},
    {"torn-segments"_kj, tornSegments},
    {"exceptions"_kj, exceptions},
    {"exceptions-of-callbacks"_kj, exceptionsOfCallbacks},
    {"unknown-methods"_kj, unknownMethods},
    {"unknown-methods-of-callbacks"_kj, unknownMethodsOfCallbacks},
};

}  // namespace

kj::ArrayPtr<const Scenario> callScenarios() { return SCENARIOS; }

}  // namespace interop
