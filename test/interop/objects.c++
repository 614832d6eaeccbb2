// The objects that either end makes.
#include "objects.h"

#include <kj/debug.h>
#include <cstring>

namespace interop {

kj::Exception exceptionOf(ExceptionType type, kj::StringPtr reason) {
  return kj::Exception(static_cast<kj::Exception::Type>(type), __FILE__, __LINE__, kj::str(reason));
}

ExceptionType typeOf(const kj::Exception& exception) { return static_cast<ExceptionType>(exception.getType()); }

kj::Promise<void> hangCounted(Counts& counts) {
  counts.hanging++;
  return kj::Promise<void>(kj::NEVER_DONE).attach(kj::defer([&counts]() {
    counts.hanging--;
    counts.cancelled++;
  }));
}

bool isNull(capnp::Capability::Client client) { return capnp::ClientHook::from(kj::mv(client))->isNull(); }

kj::Promise<void> sendNext(Target::Client target, uint from, uint count) {
  auto sent = kj::heapArrayBuilder<kj::Promise<void>>(count);
  for (uint i = 0; i < count; i++) {
    auto request = target.nextRequest();
    request.setN(from + i);
    sent.add(request.send().ignoreResult());
  }
  return kj::joinPromises(sent.finish());
}

static kj::Promise<int64_t> callFrom(Target::Client target, uint n, uint times, int64_t sum) {
  if (n == times) return sum;
  auto request = target.callRequest();
  request.setN(n);
  return request.send().then([target, n, times, sum](capnp::Response<CallResult>&& result) mutable {
    return callFrom(kj::mv(target), n + 1, times, sum + result.getN());
  });
}

kj::Promise<int64_t> callTimes(Target::Client target, uint times) { return callFrom(kj::mv(target), 0, times, 0); }

static kj::Promise<void> writeFrom(Stream::Client stream, uint sequence, uint writes, uint size) {
  if (sequence == writes) return kj::READY_NOW;
  auto request = stream.writeRequest();
  request.setSequence(sequence);
  memset(request.initBytes(size).begin(), sequence, size);
  return request.send().then([stream, sequence, writes, size]() mutable {
    return writeFrom(kj::mv(stream), sequence + 1, writes, size);
  });
}

kj::Promise<capnp::Response<StreamTotals>> writeAll(Stream::Client stream, uint writes, uint size) {
  return writeFrom(stream, 0, writes, size).then([stream]() mutable {
    return kj::Promise<capnp::Response<StreamTotals>>(stream.endRequest().send());
  });
}

kj::Promise<void> TargetServer::call(CallContext context) {
  int n = context.getParams().getN();
  if (n < 0) return exceptionOf(ExceptionType::FAILED, "negative");
  context.getResults().setN(n + number);
  return kj::READY_NOW;
}

kj::Promise<void> TargetServer::path(PathContext context) {
  context.getResults().setPath(ownPath.c_str());
  return kj::READY_NOW;
}

kj::Promise<void> TargetServer::child(ChildContext context) {
  std::string childPath = ownPath + "/" + context.getParams().getName().cStr();
  context.getResults().setTarget(kj::heap<TargetServer>(counts, childPath, number + 1));
  return kj::READY_NOW;
}

kj::Promise<void> TargetServer::next(NextContext context) {
  numbers.push_back(context.getParams().getN());
  return kj::READY_NOW;
}

kj::Promise<void> TargetServer::seen(SeenContext context) {
  auto list = context.getResults().initNumbers(numbers.size());
  for (uint i = 0; i < numbers.size(); i++) list.set(i, numbers[i]);
  return kj::READY_NOW;
}

kj::Promise<void> TargetServer::give(GiveContext context) {
  if (context.getParams().hasTarget()) context.getResults().setTarget(context.getParams().getTarget());
  return kj::READY_NOW;
}

kj::Promise<void> TargetServer::hang(HangContext context) {
  context.allowCancellation();
  return hangCounted(counts);
}

kj::Promise<void> StreamServer::write(WriteContext context) {
  KJ_IF_MAYBE(e, failure) return kj::cp(*e);
  auto params = context.getParams();
  if (params.getSequence() != writes) {
    failure = exceptionOf(ExceptionType::FAILED, "out of order");
  } else if (writes + 1 == failAt) {
    failure = exceptionOf(ExceptionType::FAILED, kj::str("stream failed at ", failAt));
  }
  KJ_IF_MAYBE(e, failure) return kj::cp(*e);
  writes++;
  bytes += params.getBytes().size();
  for (kj::byte b : params.getBytes()) sum += b;
  return kj::READY_NOW;
}

kj::Promise<void> StreamServer::end(EndContext context) {
  KJ_IF_MAYBE(e, failure) return kj::cp(*e);
  auto totals = context.getResults();
  totals.setWrites(writes);
  totals.setBytes(bytes);
  totals.setSum(sum);
  return kj::READY_NOW;
}

}  // namespace interop
