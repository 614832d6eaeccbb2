// What a client's scenario works with: connections to the server, objects of its own, waiting, and checking.
#pragma once

#include <interop.capnp.h>
#include <kj/debug.h>

#include "objects.h"
#include "transport.h"

namespace interop {

// Fails the scenario with what was expected, unless the two are equal.
#define EXPECT_EQUAL(actual, expected)                                                                     \
  do {                                                                                                     \
    auto actualValue = (actual);                                                                           \
    decltype(actualValue) expectedValue = (expected);                                                      \
    if (!(actualValue == expectedValue)) {                                                                 \
      KJ_FAIL_REQUIRE(#actual " is not " #expected, actualValue, expectedValue);                           \
    }                                                                                                      \
  } while (false)

#define EXPECT(condition, ...) KJ_REQUIRE(condition, ##__VA_ARGS__)

// A call of `Target.call`, seen from the object.
using TargetCall = capnp::CallContext<Target::CallParams, CallResult>;

bool contains(kj::StringPtr text, kj::StringPtr part);

// An object of the client's, and what it saw.
struct Own {
  TargetServer& object;
  Target::Client client;
};

// An object of the client's that does as it is told when called.
class Acting final : public TargetServer {
public:
  using Act = kj::Function<kj::Promise<void>(TargetCall)>;
  Acting(Counts& counts, Act act) : TargetServer(counts, "acting", 0), act(kj::mv(act)) {}
  kj::Promise<void> call(CallContext context) override { return act(context); }

private:
  Act act;
};

class Scene {
public:
  Scene(Io& io, TransportOptions options, kj::StringPtr where)
      : io(io), options(options), where(where), connection(kj::heap<Connection>(io, options, where)),
        server(connection->bootstrap().castAs<InteropTest>()) {}

  Io& io;
  TransportOptions options;
  kj::StringPtr where;
  Counts counts;  // Of the client's own objects.
  kj::Own<Connection> connection;
  InteropTest::Client server;

  // Waits for a promise. Fails the scenario if that takes too long.
  template <typename T>
  T wait(kj::Promise<T> promise) {
    return promise.exclusiveJoin(tooLate<T>()).wait(io.waitScope());
  }

  // Another connection to the same server.
  kj::Own<Connection> connect(bool tear = false) {
    TransportOptions others = options;
    others.tear = others.tear || tear;
    return kj::heap<Connection>(io, others, where);
  }

  Own makeOwn(kj::StringPtr name, int number) {
    auto object = kj::heap<TargetServer>(counts, name.cStr(), number);
    TargetServer& ref = *object;
    return {ref, kj::mv(object)};
  }

  Target::Client makeActing(Acting::Act act) { return kj::heap<Acting>(counts, kj::mv(act)); }

  // Fails the scenario unless the promise fails with this type, and a reason that contains the text.
  template <typename T>
  void expectFailure(kj::Promise<T> promise, ExceptionType type, kj::StringPtr text) {
    bool failed = wait(promise.then([](T&&) { return false; }, [type, text](kj::Exception&& exception) {
      requireFailure(exception, type, text);
      return true;
    }));
    EXPECT(failed, "nothing failed", text);
  }

  static void requireFailure(const kj::Exception& exception, ExceptionType type, kj::StringPtr text);

  // Lets the event loop and the peer do something else.
  void pause() { io.timer().afterDelay(100 * kj::MICROSECONDS).wait(io.waitScope()); }

  // Waits until the condition holds: it is checked anew from time to time.
  void eventually(kj::StringPtr what, kj::Function<bool()> condition);

  // The server's counts.
  uint serverObjects() { return wait(server.statusRequest().send()).getObjects(); }
  uint serverHanging() { return wait(server.statusRequest().send()).getHanging(); }
  uint serverCancelled() { return wait(server.statusRequest().send()).getCancelled(); }

  // Requests with their parameters filled in.
  capnp::RemotePromise<TargetResult> newTarget(kj::StringPtr name, int number);
  capnp::RemotePromise<TargetResult> reflect(Target::Client target);
  kj::Promise<int> call(Target::Client target, int n);
  kj::Promise<kj::String> path(Target::Client target);
  kj::Promise<int64_t> callTimes(Target::Client target, uint times);
  kj::Promise<void> next(Target::Client target, uint n) { return sendNext(kj::mv(target), n, 1); }
  kj::Promise<int> tailCall(Target::Client target, int n);
  Feeder::Client feed(Target::Client target);
  kj::Promise<void> feedSome(Feeder::Client feeder, uint count);

  // Fails the scenario unless these are 0, 1, 2, …, `count - 1`.
  void requireSequence(const std::vector<uint>& numbers, uint count);
  void requireSequence(Target::Client target, uint count);

private:
  template <typename T>
  kj::Promise<T> tooLate() {
    return io.timer().afterDelay(20 * kj::SECONDS).then([]() -> kj::Promise<T> {
      return KJ_EXCEPTION(FAILED, "no answer within 20 seconds");
    });
  }
};

struct Scenario {
  kj::StringPtr name;
  void (*run)(Scene& scene);
};

// The scenarios, by what they are about.
kj::ArrayPtr<const Scenario> callScenarios();
kj::ArrayPtr<const Scenario> capabilityScenarios();
kj::ArrayPtr<const Scenario> promiseScenarios();
kj::ArrayPtr<const Scenario> endingScenarios();

// Runs one, and checks that neither end holds anything of it afterwards. Throws if it fails.
void runScenario(const Scenario& scenario, Io& io, TransportOptions options, kj::StringPtr where);

}  // namespace interop
