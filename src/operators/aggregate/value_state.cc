#include "operators/aggregate/value_state.h"

#include <cstdlib>
#include <cstring>
#include <new>

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

size_t ValueHeapBytes(const ValueState& s) {
  return s.type == Type::kString ? Pointer(s)->length + 24u : 0;
}

}  // namespace rivulet
