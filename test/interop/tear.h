// Messages torn into many segments: every struct and list of a message lands in another segment than the pointer to it,
// behind a far pointer or a double-far one. The library itself writes such messages only when it has to.
#pragma once

#include <capnp/serialize-async.h>
#include <vector>

namespace interop {

struct TearCounts {
  uint64_t messages = 0;
  uint64_t segments = 0;
  uint64_t far = 0;
  uint64_t doubleFar = 0;
};

// What was torn so far, by all streams of this process.
extern TearCounts torn;

// The same message, torn. Its segments are trusted: the library wrote them.
std::vector<std::vector<uint64_t>> tear(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments);

// A stream that tears what is written, and reads as the inner one does. The inner stream must live longer.
class TearingStream final : public capnp::MessageStream {
public:
  explicit TearingStream(capnp::MessageStream& inner) : inner(inner) {}

  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(
      kj::ArrayPtr<kj::AutoCloseFd> fdSpace, capnp::ReaderOptions options,
      kj::ArrayPtr<capnp::word> scratchSpace) override;
  kj::Promise<void> writeMessage(kj::ArrayPtr<const int> fds,
                                 kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override;
  kj::Promise<void> writeMessages(
      kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override;
  kj::Maybe<int> getSendBufferSize() override { return inner.getSendBufferSize(); }
  kj::Promise<void> end() override { return inner.end(); }

private:
  capnp::MessageStream& inner;
};

}  // namespace interop
