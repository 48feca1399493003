// One value as bytes, as it is kept in rows of state:
//   type (1 byte, see value.h), then   bool 1 byte | int 8 bytes, or a signed varint | float 8 bytes
//                                      string length (varint), bytes
// It reads back as it was and says where it ends; it does not sort. Keys, which must sort and be the same for
// equal values of different types, have a form of their own (operators/key/key_codec.h).
//
// Which form ints have is a matter of who has always written which: kWhole is that of what keyed steps,
// patterns and joins keep and of rows of tables, kVarint that of accumulators and of what filled windows
// remember.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/value.h"

namespace rivulet {

enum class IntForm : uint8_t { kWhole, kVarint };

inline void PutValue(std::string* out, const Value& value, IntForm ints = IntForm::kWhole) {
  out->push_back(static_cast<char>(value.type));
  switch (value.type) {
    case Type::kNull: break;
    case Type::kBool: out->push_back(value.b ? 1 : 0); break;
    case Type::kInt:
      if (ints == IntForm::kWhole) {
        PutFixed(out, value.i);
      } else {
        PutSignedVarint(out, value.i);
      }
      break;
    case Type::kFloat: PutFixed(out, value.f); break;
    case Type::kString: PutBytes(out, value.s); break;
  }
}

// A string is a view into the bytes. False when they are no value.
inline bool GetValue(std::string_view* in, Value* value, IntForm ints = IntForm::kWhole) {
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
    case Type::kInt:
      return ints == IntForm::kWhole ? GetFixed(in, &value->i) : GetSignedVarint(in, &value->i);
    case Type::kFloat: return GetFixed(in, &value->f);
    case Type::kString: return GetBytes(in, &value->s);
  }
  return false;
}

}  // namespace rivulet
