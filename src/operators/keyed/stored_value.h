// One value as bytes within what a keyed step remembers:
//   type (1 byte, see base/value.h), then   bool 1 byte | int, float 8 bytes | string length (varint), bytes
#pragma once

#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/value.h"

namespace rivulet {

inline void PutValue(std::string* out, const Value& value) {
  out->push_back(static_cast<char>(value.type));
  switch (value.type) {
    case Type::kNull: break;
    case Type::kBool: out->push_back(value.b ? 1 : 0); break;
    case Type::kInt: PutFixed(out, value.i); break;
    case Type::kFloat: PutFixed(out, value.f); break;
    case Type::kString: PutBytes(out, value.s); break;
  }
}

// A string is a view into the bytes. False when they are no value.
inline bool GetValue(std::string_view* in, Value* value) {
  uint8_t type = 0, truth = 0;
  *value = Value();
  if (!GetFixed(in, &type)) return false;
  value->type = static_cast<Type>(type);
  switch (value->type) {
    case Type::kNull: return true;
    case Type::kBool:
      if (!GetFixed(in, &truth) || truth > 1) return false;
      value->b = truth != 0;
      return true;
    case Type::kInt: return GetFixed(in, &value->i);
    case Type::kFloat: return GetFixed(in, &value->f);
    case Type::kString: return GetBytes(in, &value->s);
  }
  return false;
}

}  // namespace rivulet
