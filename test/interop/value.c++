// Writes and reads V8's serialization format, by hand. It shares nothing with Capstan's own codec.
#include "value.h"

#include <kj/debug.h>
#include <cmath>
#include <cstring>

namespace interop {

Value Value::of(double number) {
  Value value;
  value.kind = NUMBER;
  value.number = number;
  return value;
}

Value Value::of(std::string text) {
  Value value;
  value.kind = STRING;
  value.text = std::move(text);
  return value;
}

Value Value::of(std::vector<Value> elements) {
  Value value;
  value.kind = ARRAY;
  value.elements = std::move(elements);
  return value;
}

namespace {

constexpr uint VERSION = 15;

class Writer {
public:
  std::vector<kj::byte> bytes;

  void varint(uint64_t n) {
    for (; n >= 0x80; n >>= 7) bytes.push_back(n | 0x80);
    bytes.push_back(n);
  }

  void value(const Value& it) {
    switch (it.kind) {
      case Value::UNDEFINED: return bytes.push_back('_');
      case Value::NULL_: return bytes.push_back('0');
      case Value::BOOLEAN: return bytes.push_back(it.number == 0 ? 'F' : 'T');
      case Value::NUMBER: return number(it.number);
      case Value::STRING: return string(it.text);
      case Value::ARRAY:
        bytes.push_back('A');
        varint(it.elements.size());
        for (auto& element : it.elements) value(element);
        bytes.push_back('$');
        varint(0);  // Properties beside the elements.
        return varint(it.elements.size());
      case Value::OBJECT: KJ_FAIL_REQUIRE("objects are only read");
    }
  }

private:
  void number(double n) {
    int32_t small = std::fabs(n) < (1 << 30) ? static_cast<int32_t>(n) : 0;
    if (small == n && !(n == 0 && std::signbit(n))) {
      bytes.push_back('I');
      return varint((static_cast<uint32_t>(small) << 1) ^ static_cast<uint32_t>(small >> 31));
    }
    bytes.push_back('N');
    auto raw = reinterpret_cast<const kj::byte*>(&n);
    bytes.insert(bytes.end(), raw, raw + sizeof(n));
  }

  void string(const std::string& text) {
    bool ascii = true;
    for (unsigned char c : text) ascii = ascii && c < 0x80;
    bytes.push_back(ascii ? '"' : 'S');  // One byte a character, or UTF-8.
    varint(text.size());
    bytes.insert(bytes.end(), text.begin(), text.end());
  }
};

void appendUtf8(std::string& text, uint32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xc0 | point >> 6);
    text += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xe0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    text += static_cast<char>(0xf0 | point >> 18);
    text += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    text += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (point & 0x3f));
  }
}

class Reader {
public:
  explicit Reader(kj::ArrayPtr<const kj::byte> bytes) : bytes(bytes) {}

  Value whole() {
    KJ_REQUIRE(byte() == 0xff, "not a value");
    uint64_t version = varint();
    KJ_REQUIRE(version >= 13 && version <= VERSION, "another version of the format", version);
    return value();
  }

private:
  kj::ArrayPtr<const kj::byte> bytes;
  size_t at = 0;

  kj::byte byte() { return *take(1); }

  const kj::byte* take(size_t count) {
    KJ_REQUIRE(count <= bytes.size() - at, "the value ends early");
    at += count;
    return bytes.begin() + at - count;
  }

  uint64_t varint() {
    uint64_t n = 0;
    for (uint shift = 0; shift < 64; shift += 7) {
      kj::byte b = byte();
      n |= static_cast<uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return n;
    }
    KJ_FAIL_REQUIRE("a number without an end");
  }

  Value boolean(bool truth) {
    Value value = Value::of(double(truth));
    value.kind = Value::BOOLEAN;
    return value;
  }

  Value value() {
    kj::byte tag = byte();
    while (tag == 0) tag = byte();  // Padding.
    Value result;
    switch (tag) {
      case '_': return result;
      case '0': result.kind = Value::NULL_; return result;
      case 'T': return boolean(true);
      case 'F': return boolean(false);
      case 'I': {
        uint32_t n = varint();
        return Value::of(double(static_cast<int32_t>(n >> 1 ^ (0 - (n & 1)))));
      }
      case 'U': return Value::of(double(varint()));
      case 'N': {
        double n;
        memcpy(&n, take(sizeof(n)), sizeof(n));
        return Value::of(n);
      }
      case '"': return latin1(varint());
      case 'S': {
        size_t size = varint();
        return Value::of(std::string(reinterpret_cast<const char*>(take(size)), size));
      }
      case 'c': return utf16(varint());
      case 'A': return array(varint());
      case 'o': return object();
      default: KJ_FAIL_REQUIRE("a kind of value that this peer does not read", static_cast<char>(tag));
    }
  }

  Value latin1(size_t size) {
    auto characters = take(size);
    std::string text;
    for (size_t i = 0; i < size; i++) appendUtf8(text, characters[i]);
    return Value::of(text);
  }

  Value utf16(size_t size) {
    auto units = take(size);
    auto unit = [units](size_t i) -> uint32_t { return units[i] | units[i + 1] << 8; };
    std::string text;
    for (size_t i = 0; i + 1 < size; i += 2) {
      uint32_t point = unit(i);
      bool isPair = point >= 0xd800 && point < 0xdc00 && i + 3 < size;
      if (isPair) {
        i += 2;
        point = 0x10000 + ((point - 0xd800) << 10) + (unit(i) - 0xdc00);
      }
      appendUtf8(text, point);
    }
    return Value::of(text);
  }

  Value array(size_t length) {
    KJ_REQUIRE(length <= bytes.size(), "the value ends early");
    Value result = Value::of(std::vector<Value>());
    for (size_t i = 0; i < length; i++) result.elements.push_back(value());
    KJ_REQUIRE(byte() == '$' && varint() == 0, "an array with properties");
    varint();
    return result;
  }

  Value object() {
    Value result;
    result.kind = Value::OBJECT;
    while (at < bytes.size() && bytes[at] != '{') result.elements.push_back(value());
    take(1);
    KJ_REQUIRE(varint() * 2 == result.elements.size(), "an object whose properties were miscounted");
    return result;
  }
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c < 0x20) {
      char escape[8];
      snprintf(escape, sizeof(escape), "\\u%04x", c);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::vector<kj::byte> writeValue(const Value& value) {
  Writer writer;
  writer.bytes = {0xff, VERSION};
  writer.value(value);
  return std::move(writer.bytes);
}

Value readValue(kj::ArrayPtr<const kj::byte> bytes) { return Reader(bytes).whole(); }

std::string toJson(const Value& value) {
  std::string out;
  switch (value.kind) {
    case Value::UNDEFINED: return "undefined";
    case Value::NULL_: return "null";
    case Value::BOOLEAN: return value.number == 0 ? "false" : "true";
    case Value::NUMBER: return kj::str(value.number).cStr();
    case Value::STRING: return quoted(value.text);
    case Value::ARRAY:
      for (auto& element : value.elements) out += (out.empty() ? "" : ",") + toJson(element);
      return "[" + out + "]";
    case Value::OBJECT:
      for (size_t i = 0; i + 1 < value.elements.size(); i += 2) {
        out += (out.empty() ? "" : ",") + toJson(value.elements[i]) + ":" + toJson(value.elements[i + 1]);
      }
      return "{" + out + "}";
  }
  return out;
}

}  // namespace interop
