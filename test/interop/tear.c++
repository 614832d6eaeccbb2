// Tears messages: walks the pointers of a finished message, and lays each object out anew in a segment of its own.
#include "tear.h"

#include <cstring>

namespace interop {

TearCounts torn;

namespace {

// Beyond so many segments objects stay near their pointers: a reader may refuse 512 and more.
constexpr size_t MAX_SEGMENTS = 300;

constexpr uint64_t STRUCT = 0, LIST = 1, FAR = 2;
constexpr uint64_t BITS_PER_ELEMENT[] = {0, 1, 8, 16, 32, 64, 64};
constexpr uint64_t POINTERS = 6, COMPOSITE = 7;

using Words = std::vector<uint64_t>;

uint64_t dataWords(uint64_t pointer) { return (pointer >> 32) & 0xffff; }
uint64_t pointerWords(uint64_t pointer) { return pointer >> 48; }
uint64_t elementSize(uint64_t pointer) { return (pointer >> 32) & 7; }
uint64_t elementCount(uint64_t pointer) { return pointer >> 35; }
int64_t offsetOf(uint64_t pointer) { return static_cast<int32_t>(pointer) >> 2; }

uint64_t withOffset(uint64_t pointer, int64_t offset) {
  return (pointer & 0xffffffff00000003) | (static_cast<uint32_t>(offset) << 2);
}

uint64_t farPointer(bool isDouble, size_t segment, size_t offset) {
  return FAR | (isDouble ? 4 : 0) | (static_cast<uint64_t>(offset) << 3) | (static_cast<uint64_t>(segment) << 32);
}

struct Place {
  size_t segment;
  size_t index;
};

class Tearing {
public:
  explicit Tearing(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> source) : source(source) {}

  std::vector<Words> run() {
    target.push_back(Words(1));
    copy({0, 0}, {0, 0});
    torn.messages++;
    torn.segments += target.size();
    return std::move(target);
  }

private:
  kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> source;
  std::vector<Words> target;
  size_t turn = 0;

  uint64_t read(Place place) {
    uint64_t word;
    memcpy(&word, source[place.segment].begin() + place.index, sizeof(word));
    return word;
  }

  // Copies the object that the pointer at `from` points to, and writes a pointer to the copy at `to`.
  void copy(Place from, Place to) {
    uint64_t pointer = read(from);
    Place content = from;
    if ((pointer & 3) == FAR) {
      Place pad = {static_cast<size_t>(pointer >> 32), (pointer & 0xffffffff) >> 3};
      bool isDouble = pointer & 4;
      pointer = read(pad);
      if (isDouble) {
        content = {static_cast<size_t>(pointer >> 32), (pointer & 0xffffffff) >> 3};
        pointer = read({pad.segment, pad.index + 1});
      } else {
        content = {pad.segment, static_cast<size_t>(pad.index + 1 + offsetOf(pointer))};
      }
    } else {
      content.index = from.index + 1 + offsetOf(pointer);
    }

    uint64_t size = pointer == 0 ? 0 : wordsOf(pointer);
    if (size == 0) {
      // Null, a capability, or an object that takes no room.
      bool isEmptyList = (pointer & 3) == LIST;
      target[to.segment][to.index] = isEmptyList ? withOffset(pointer, 0) : pointer;
      return;
    }

    Place body = place(pointer, size, to);
    for (uint64_t i = 0; i < size; i++) {
      target[body.segment][body.index + i] = read({content.segment, content.index + i});
    }
    copyPointers(pointer, content, body);
  }

  uint64_t wordsOf(uint64_t pointer) {
    switch (pointer & 3) {
      case STRUCT: return dataWords(pointer) + pointerWords(pointer);
      case LIST:
        if (elementSize(pointer) == COMPOSITE) return elementCount(pointer) + 1;
        return (elementCount(pointer) * BITS_PER_ELEMENT[elementSize(pointer)] + 63) / 64;
      default: return 0;
    }
  }

  // Makes room for an object, by turns after a landing pad, apart from its two landing pads, and where its pointer is.
  Place place(uint64_t pointer, uint64_t size, Place to) {
    size_t way = target.size() < MAX_SEGMENTS ? turn++ % 5 : 4;
    if (way == 4) {
      size_t index = grow(to.segment, size);
      target[to.segment][to.index] = withOffset(pointer, index - to.index - 1);
      return {to.segment, index};
    }
    size_t segment = target.size();
    target.emplace_back();
    if (way % 2 == 0) {
      torn.far++;
      grow(segment, size + 1);
      target[segment][0] = withOffset(pointer, 0);
      target[to.segment][to.index] = farPointer(false, segment, 0);
      return {segment, 1};
    }
    torn.doubleFar++;
    grow(segment, size);
    size_t padSegment = way == 1 ? 0 : segment + 1;
    if (padSegment == target.size()) target.emplace_back();
    size_t pad = grow(padSegment, 2);
    target[padSegment][pad] = farPointer(false, segment, 0);
    target[padSegment][pad + 1] = withOffset(pointer, 0);
    target[to.segment][to.index] = farPointer(true, padSegment, pad);
    return {segment, 0};
  }

  size_t grow(size_t segment, size_t words) {
    size_t at = target[segment].size();
    target[segment].resize(at + words);
    return at;
  }

  void copyPointers(uint64_t pointer, Place from, Place to) {
    if ((pointer & 3) == STRUCT) {
      copyRun(from, to, dataWords(pointer), pointerWords(pointer));
    } else if (elementSize(pointer) == POINTERS) {
      copyRun(from, to, 0, elementCount(pointer));
    } else if (elementSize(pointer) == COMPOSITE) {
      uint64_t tag = read(from);
      uint64_t step = dataWords(tag) + pointerWords(tag);
      for (uint64_t i = 0; i < static_cast<uint64_t>(offsetOf(tag)); i++) {
        copyRun({from.segment, from.index + 1 + i * step}, {to.segment, to.index + 1 + i * step}, dataWords(tag),
                pointerWords(tag));
      }
    }
  }

  void copyRun(Place from, Place to, uint64_t skip, uint64_t count) {
    for (uint64_t i = skip; i < skip + count; i++) {
      copy({from.segment, from.index + i}, {to.segment, to.index + i});
    }
  }
};

struct TornMessage {
  std::vector<Words> words;
  kj::Array<kj::ArrayPtr<const capnp::word>> segments;
};

}  // namespace

std::vector<std::vector<uint64_t>> tear(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  return Tearing(segments).run();
}

kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> TearingStream::tryReadMessage(
    kj::ArrayPtr<kj::AutoCloseFd> fdSpace, capnp::ReaderOptions options, kj::ArrayPtr<capnp::word> scratchSpace) {
  return inner.tryReadMessage(fdSpace, options, scratchSpace);
}

kj::Promise<void> TearingStream::writeMessage(kj::ArrayPtr<const int> fds,
                                              kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) {
  auto message = kj::heap<TornMessage>();
  message->words = tear(segments);
  message->segments = KJ_MAP(words, message->words) {
    return kj::arrayPtr(reinterpret_cast<const capnp::word*>(words.data()), words.size());
  };
  auto& written = message->segments;
  return inner.writeMessage(fds, written).attach(kj::mv(message));
}

kj::Promise<void> TearingStream::writeMessages(
    kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) {
  if (messages.size() == 0) return kj::READY_NOW;
  return writeMessage(nullptr, messages[0]).then([this, messages]() mutable {
    return writeMessages(messages.slice(1, messages.size()));
  });
}

}  // namespace interop
