#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/coding.h"
#include "operators/aggregate/accumulator_kinds.h"
#include "operators/aggregate/compare.h"

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

ValueState* State(char* p) { return reinterpret_cast<ValueState*>(p); }
const ValueState* State(const char* p) { return reinterpret_cast<const ValueState*>(p); }

void Release(ValueState* s) {
  if (s->type == Type::kString) std::free(Pointer(*s));
  s->type = Type::kNull;
}

// Takes over a copy of `v`; reuses nothing, as a pane's extreme or edge rarely changes.
void Assign(ValueState* s, const Value& v) {
  HeapString* copy = nullptr;
  if (v.type == Type::kString) {
    copy = static_cast<HeapString*>(std::malloc(sizeof(uint32_t) + v.s.size() + 1));
    if (copy == nullptr) throw std::bad_alloc();
    copy->length = static_cast<uint32_t>(v.s.size());
    if (!v.s.empty()) std::memcpy(copy->bytes, v.s.data(), v.s.size());
  }
  Release(s);
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

Value Read(const ValueState& s) {
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

// What extremes and edges share: one value, perhaps a string on the heap.
class OneValue : public Accumulator {
 public:
  void Init(char* state) const override { std::memset(state, 0, size()); }
  void Destroy(char* state) const override { Release(State(state)); }
  bool has_heap() const override { return true; }
  size_t HeapBytes(const char* state) const override {
    const ValueState* s = State(state);
    return s->type == Type::kString ? Pointer(*s)->length + 24u : 0;
  }
};

class Extreme final : public OneValue {
 public:
  explicit Extreme(bool want_max) : want_max_(want_max) {}

  size_t size() const override { return offsetof(ValueState, time); }

  void Update(const AccumulateInput& in, size_t offset) const override {
    const Column& column = *in.argument;
    if (column.Only(Type::kFloat)) {
      UpdateUniform<double>(in, offset, Type::kFloat);
    } else if (column.Only(Type::kInt)) {
      UpdateUniform<int64_t>(in, offset, Type::kInt);
    } else {
      for (uint32_t k = 0; k < in.count; ++k) {
        Offer(State(in.blocks[k] + offset), column.Get(in.rows[k]));
      }
    }
  }
  void Merge(char* into, const char* from) const override { Offer(State(into), Read(*State(from))); }
  void Encode(const char* state, std::string* out) const override {
    EncodeValue(Read(*State(state)), out);
  }
  bool Decode(std::string_view* in, char* state) const override {
    Init(state);
    Value v;
    if (!DecodeValue(in, &v)) return false;
    Assign(State(state), v);
    return true;
  }

 private:
  template <typename T>
  static T Load(const Cell& cell) {
    if constexpr (std::is_same_v<T, double>) return cell.f;
    else return cell.i;
  }
  template <typename T>
  void UpdateUniform(const AccumulateInput& in, size_t offset, Type type) const {
    const Cell* cells = in.argument->cells();
    const Type* tags = in.argument->tags();
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      ValueState* s = State(in.blocks[k] + offset);
      if (s->type == type && tags[row] == type) {
        const T v = Load<T>(cells[row]);
        const T best = Load<T>(s->cell);
        if (want_max_ ? v > best : v < best) s->cell = cells[row];
      } else {
        Offer(s, in.argument->Get(row));
      }
    }
  }
  void Offer(ValueState* s, const Value& v) const {
    if (v.is_null() || (v.type == Type::kFloat && std::isnan(v.f))) return;
    if (s->type == Type::kNull || Better(v, Read(*s))) Assign(s, v);
  }
  bool Better(const Value& v, const Value& best) const {
    const int order = CompareValues(v, best);
    return want_max_ ? order > 0 : order < 0;
  }

  bool want_max_;
};

class Edge final : public OneValue {
 public:
  explicit Edge(bool want_last) : want_last_(want_last) {}

  size_t size() const override { return sizeof(ValueState); }

  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      if (in.argument->is_null(row)) continue;
      Offer(State(in.blocks[k] + offset), in.time[row], in.argument->Get(row));
    }
  }
  void Merge(char* into, const char* from) const override {
    const ValueState* other = State(from);
    if (other->type != Type::kNull) Offer(State(into), other->time, Read(*other));
  }
  void Encode(const char* state, std::string* out) const override {
    EncodeValue(Read(*State(state)), out);
    PutFixed(out, State(state)->time);
  }
  bool Decode(std::string_view* in, char* state) const override {
    Init(state);
    Value v;
    int64_t time = 0;
    if (!DecodeValue(in, &v) || !GetFixed(in, &time)) return false;
    Assign(State(state), v);
    State(state)->time = time;
    return true;
  }

 private:
  // Later in arrival: wins ties for last, loses them for first.
  void Offer(ValueState* s, int64_t time, const Value& v) const {
    const bool take = s->type == Type::kNull || (want_last_ ? time >= s->time : time < s->time);
    if (!take) return;
    Assign(s, v);
    s->time = time;
  }

  bool want_last_;
};

}  // namespace

const Accumulator& ExtremeAccumulator(bool want_max) {
  static const Extreme min(false);
  static const Extreme max(true);
  return want_max ? max : min;
}
const Accumulator& EdgeAccumulator(bool want_last) {
  static const Edge first(false);
  static const Edge last(true);
  return want_last ? last : first;
}

Value ReadValueState(const char* state) { return Read(*State(state)); }

}  // namespace rivulet
