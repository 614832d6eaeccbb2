// Both ends of the comparison's calls with Cap'n Proto's own C++ library, as two processes of this program.
//
//   adder serve --ws|--tcp             says "listening on PORT"; answers a line with its CPU time in µs; ends with its input
//   adder call --ws|--tcp HOST:PORT    says "connected"; answers each line of its input with one:
//     loop IN_FLIGHT MILLISECONDS CALLS    a closed loop, for so long or so many calls (0: any number)
//     chain LENGTH pipelined|awaited       what the last of so many dependent calls gives, sent at once or one by one
//     cpu                                  its CPU time in µs
#include <capnp/message.h>
#include <kj/debug.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "../../test/interop/transport.h"
#include "adder.capnp.h"

namespace bench {

namespace {

using interop::Transport;
using Clock = std::chrono::steady_clock;

// With more than one loop, one call in so many is timed.
constexpr uint TIMED = 8;

void say(const std::string& line) {
  printf("%s\n", line.c_str());
  fflush(stdout);
}

std::string cpuMicroseconds() {
  rusage usage;
  KJ_SYSCALL(getrusage(RUSAGE_SELF, &usage));
  auto microseconds = [](const timeval& time) { return time.tv_sec * 1'000'000ll + time.tv_usec; };
  return std::to_string(microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
}

class StepServer final : public Step::Server {
public:
  explicit StepServer(int32_t number) : number(number) {}

protected:
  kj::Promise<void> next(NextContext context) override {
    context.getResults().setStep(kj::heap<StepServer>(number + 1));
    return kj::READY_NOW;
  }
  kj::Promise<void> count(CountContext context) override {
    context.getResults().setCount(number);
    return kj::READY_NOW;
  }

private:
  int32_t number;
};

class AdderServer final : public Adder::Server {
protected:
  kj::Promise<void> add(AddContext context) override {
    auto params = context.getParams();
    context.getResults().setSum(params.getA() + params.getB());
    return kj::READY_NOW;
  }
  kj::Promise<void> first(FirstContext context) override {
    context.getResults().setStep(kj::heap<StepServer>(1));
    return kj::READY_NOW;
  }
};

// Lines of this process's input. The event loop goes on meanwhile, so that its clock is right when the next loop starts.
class Input {
public:
  explicit Input(interop::Io& io) : io(io), stream(io.async.lowLevelProvider->wrapInputFd(0)) {}

  // False at its end.
  bool read(std::string& line) {
    line.clear();
    char character;
    while (stream->tryRead(&character, 1, 1).wait(io.waitScope()) > 0) {
      if (character == '\n') return true;
      line += character;
    }
    return false;
  }

private:
  interop::Io& io;
  kj::Own<kj::AsyncInputStream> stream;
};

void serve(Transport transport) {
  interop::Io io;
  interop::Listener listener(io, {transport}, "0", [](auto) -> capnp::Capability::Client {
    return kj::heap<AdderServer>();
  });
  say("listening on " + std::to_string(listener.port()));
  Input input(io);
  std::string line;
  while (input.read(line)) say(cpuMicroseconds());
}

// The closed loop: so many loops, each awaiting its call before it makes the next.
class ClosedLoop {
public:
  ClosedLoop(Adder::Client adder, uint inFlight, uint64_t calls)
      : adder(kj::mv(adder)), timed(inFlight == 1 || calls > 0 ? 1 : TIMED), left(calls > 0 ? calls : UINT64_MAX) {
    auto builder = kj::heapArrayBuilder<kj::Promise<void>>(inFlight);
    for (uint loop = 0; loop < inFlight; loop++) builder.add(run(loop, loop));
    finished = kj::joinPromises(builder.finish()).fork();
  }

  // Runs for so long, or until its calls are made, and then until all are back.
  std::string measure(interop::Io& io, uint milliseconds) {
    auto started = Clock::now();
    auto end = io.timer().afterDelay(milliseconds * kj::MILLISECONDS);
    end.exclusiveJoin(finished.addBranch()).wait(io.waitScope());
    // Counted here, before the calls still in flight come back.
    std::chrono::duration<double> elapsed = Clock::now() - started;
    auto inTime = completed;
    left = 0;
    finished.addBranch().wait(io.waitScope());
    std::ostringstream out;
    out << "{\"calls\":" << inTime << ",\"seconds\":" << elapsed.count() << ",\"callsInAll\":" << completed
        << ",\"nanoseconds\":[";
    for (size_t i = 0; i < nanoseconds.size(); i++) out << (i == 0 ? "" : ",") << nanoseconds[i];
    out << "]}";
    return out.str();
  }

private:
  Adder::Client adder;
  uint timed;
  uint64_t left;
  uint64_t completed = 0;
  std::vector<int64_t> nanoseconds;
  kj::ForkedPromise<void> finished = nullptr;

  // `b` differs from loop to loop and `a` from call to call, so that a mixed-up reply is noticed.
  kj::Promise<void> run(int32_t a, int32_t b) {
    if (left == 0) return kj::READY_NOW;
    left--;
    a = (a + 1) % 1'000;
    bool isTimed = a % timed == 0;
    auto from = isTimed ? Clock::now() : Clock::time_point();
    auto request = adder.addRequest();
    request.setA(a);
    request.setB(b);
    return request.send().then([this, a, b, isTimed, from](capnp::Response<Adder::AddResults>&& response) {
      KJ_REQUIRE(response.getSum() == a + b, "wrong result", a, b, response.getSum());
      if (isTimed) nanoseconds.push_back(std::chrono::nanoseconds(Clock::now() - from).count());
      completed++;
      return run(a, b);
    });
  }
};

int32_t chain(interop::Io& io, Adder::Client& adder, uint length, bool awaited) {
  Step::Client step = awaited ? Step::Client(adder.firstRequest().send().wait(io.waitScope()).getStep())
                              : Step::Client(adder.firstRequest().send().getStep());
  for (uint at = 2; at < length; at++) {
    if (awaited) step = step.nextRequest().send().wait(io.waitScope()).getStep();
    else step = step.nextRequest().send().getStep();
  }
  return step.countRequest().send().wait(io.waitScope()).getCount();
}

void call(Transport transport, kj::StringPtr address) {
  interop::Io io;
  interop::Connection connection(io, {transport}, address);
  auto adder = connection.bootstrap().castAs<Adder>();
  auto request = adder.addRequest();
  request.setA(1);
  request.setB(2);
  KJ_REQUIRE(request.send().wait(io.waitScope()).getSum() == 3);
  say("connected");
  Input input(io);
  std::string line;
  while (input.read(line)) {
    std::istringstream words(line);
    std::string order;
    words >> order;
    if (order == "loop") {
      uint inFlight, milliseconds;
      uint64_t calls;
      words >> inFlight >> milliseconds >> calls;
      KJ_REQUIRE(!words.fail() && inFlight > 0, "loop IN_FLIGHT MILLISECONDS CALLS", line.c_str());
      say(ClosedLoop(adder, inFlight, calls).measure(io, milliseconds));
    } else if (order == "chain") {
      uint length;
      std::string mode;
      words >> length >> mode;
      KJ_REQUIRE(!words.fail() && length > 1 && (mode == "pipelined" || mode == "awaited"),
                 "chain LENGTH pipelined|awaited", line.c_str());
      say(std::to_string(chain(io, adder, length, mode == "awaited")));
    } else {
      KJ_REQUIRE(order == "cpu", "no such order", line.c_str());
      say(cpuMicroseconds());
    }
  }
}

void command(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  KJ_REQUIRE(words.size() >= 2 && (words[1] == "--ws" || words[1] == "--tcp"),
             "usage: adder serve|call --ws|--tcp [HOST:PORT]");
  auto transport = words[1] == "--ws" ? Transport::WS : Transport::TCP;
  if (words[0] == "serve") return serve(transport);
  KJ_REQUIRE(words[0] == "call" && words.size() == 3, "usage: adder call --ws|--tcp HOST:PORT");
  call(transport, words[2].c_str());
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  auto failure = kj::runCatchingExceptions([&]() { bench::command(argc, argv); });
  KJ_IF_MAYBE(e, failure) {
    fprintf(stderr, "%s\n", e->getDescription().cStr());
    return 1;
  }
  return 0;
}
