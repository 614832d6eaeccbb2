// V8's serialized values, as far as plain calls need them: numbers, strings, booleans, null, undefined, arrays, objects.
#pragma once

#include <capnp/common.h>
#include <kj/array.h>
#include <string>
#include <vector>

namespace interop {

struct Value {
  enum Kind { UNDEFINED, NULL_, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT };
  Kind kind = UNDEFINED;
  double number = 0;            // Of a number; 1 or 0 of a boolean.
  std::string text;             // UTF-8.
  std::vector<Value> elements;  // Of an array; of an object, keys and values by turns.

  static Value of(double number);
  static Value of(std::string text);
  static Value of(std::vector<Value> elements);
};

std::vector<kj::byte> writeValue(const Value& value);

// Throws for what it does not know.
Value readValue(kj::ArrayPtr<const kj::byte> bytes);

std::string toJson(const Value& value);

}  // namespace interop
