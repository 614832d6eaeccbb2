// The objects that either end makes, counted.
#pragma once

#include <interop.capnp.h>
#include <kj/async.h>
#include <map>
#include <string>
#include <vector>

namespace interop {

// What lives in one end. Must outlive its objects.
struct Counts {
  uint objects = 0;
  uint hanging = 0;
  uint cancelled = 0;
};

// One object's share in the count.
class Counted {
public:
  explicit Counted(Counts& counts) : counts(counts) { counts.objects++; }
  ~Counted() { counts.objects--; }
  KJ_DISALLOW_COPY(Counted);

protected:
  Counts& counts;
};

kj::Exception exceptionOf(ExceptionType type, kj::StringPtr reason);
ExceptionType typeOf(const kj::Exception& exception);

// Never returns, and is counted while it runs and when it is cancelled.
kj::Promise<void> hangCounted(Counts& counts);

// Whether a capability is null.
bool isNull(capnp::Capability::Client client);

// Calls `next` on a target with numbers from `from` on, without waiting in between.
kj::Promise<void> sendNext(Target::Client target, uint from, uint count);

// Adds up `call(0)`, `call(1)`, …, one after the other.
kj::Promise<int64_t> callTimes(Target::Client target, uint times);

// Writes to a stream as `streamTo` says, and ends it.
kj::Promise<capnp::Response<StreamTotals>> writeAll(Stream::Client stream, uint writes, uint size);

class TargetServer : public Target::Server, protected Counted {
public:
  TargetServer(Counts& counts, std::string path, int number) : Counted(counts), ownPath(path), number(number) {}

  std::vector<uint> numbers;

  kj::Promise<void> call(CallContext context) override;
  kj::Promise<void> path(PathContext context) override;
  kj::Promise<void> child(ChildContext context) override;
  kj::Promise<void> next(NextContext context) override;
  kj::Promise<void> seen(SeenContext context) override;
  kj::Promise<void> give(GiveContext context) override;
  kj::Promise<void> hang(HangContext context) override;

private:
  std::string ownPath;
  int number;
};

class StreamServer final : public Stream::Server, private Counted {
public:
  StreamServer(Counts& counts, uint failAt) : Counted(counts), failAt(failAt) {}

  kj::Promise<void> write(WriteContext context) override;
  kj::Promise<void> end(EndContext context) override;

private:
  uint failAt;
  uint writes = 0;
  uint64_t bytes = 0;
  uint64_t sum = 0;
  kj::Maybe<kj::Exception> failure;
};

}  // namespace interop
