#include "operators/aggregate/value_state.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/coding.h"

namespace rivulet {
namespace {

// A string outside the block: its length, then its bytes.
struct HeapString {
  uint32_t length;
  char bytes[4];
};

HeapString* Pointer(const ValueState& s) {
  HeapString* p = nullptr;
  std::memcpy(&p, &s.cell, sizeof(p));
  return p;
}

}  // namespace

void ReleaseValue(ValueState* s) {
  if (s->type == Type::kString) std::free(Pointer(*s));
  s->type = Type::kNull;
}

// Reuses nothing, as a pane's extreme or edge rarely changes.
void AssignValue(ValueState* s, const Value& v) {
  HeapString* copy = nullptr;
  if (v.type == Type::kString) {
    copy = static_cast<HeapString*>(std::malloc(sizeof(uint32_t) + v.s.size() + 1));
    if (copy == nullptr) throw std::bad_alloc();
    copy->length = static_cast<uint32_t>(v.s.size());
    if (!v.s.empty()) std::memcpy(copy->bytes, v.s.data(), v.s.size());
  }
  ReleaseValue(s);
  s->type = v.type;
  switch (v.type) {
    case Type::kNull: break;
    case Type::kBool: s->cell.i = v.b ? 1 : 0; break;
    case Type::kInt: s->cell.i = v.i; break;
    case Type::kFloat: s->cell.f = v.f; break;
    case Type::kString:
      s->cell.bits = 0;
      std::memcpy(&s->cell, &copy, sizeof(copy));
      break;
  }
}

Value ReadValue(const ValueState& s) {
  switch (s.type) {
    case Type::kNull: return Value::Null();
    case Type::kBool: return Value::Bool(s.cell.i != 0);
    case Type::kInt: return Value::Int(s.cell.i);
    case Type::kFloat: return Value::Float(s.cell.f);
    case Type::kString: {
      const HeapString* p = Pointer(s);
      return Value::String({p->bytes, p->length});
    }
  }
  return Value::Null();
}

void EncodeValue(const Value& v, std::string* out) {
  out->push_back(static_cast<char>(v.type));
  switch (v.type) {
    case Type::kNull: break;
    case Type::kBool: out->push_back(v.b ? 1 : 0); break;
    case Type::kInt: PutSignedVarint(out, v.i); break;
    case Type::kFloat: PutFixed(out, v.f); break;
    case Type::kString: PutBytes(out, v.s); break;
  }
}

bool DecodeValue(std::string_view* in, Value* v) {
  uint8_t type = 0;
  if (!GetFixed(in, &type)) return false;
  switch (static_cast<Type>(type)) {
    case Type::kNull: *v = Value::Null(); return true;
    case Type::kBool: {
      uint8_t b = 0;
      if (!GetFixed(in, &b)) return false;
      *v = Value::Bool(b != 0);
      return true;
    }
    case Type::kInt: {
      int64_t i = 0;
      if (!GetSignedVarint(in, &i)) return false;
      *v = Value::Int(i);
      return true;
    }
    case Type::kFloat: {
      double f = 0;
      if (!GetFixed(in, &f)) return false;
      *v = Value::Float(f);
      return true;
    }
    case Type::kString: {
      std::string_view s;
      if (!GetBytes(in, &s)) return false;
      *v = Value::String(s);
      return true;
    }
  }
  return false;
}

size_t ValueHeapBytes(const ValueState& s) {
  return s.type == Type::kString ? Pointer(s)->length + 24u : 0;
}

}  // namespace rivulet
