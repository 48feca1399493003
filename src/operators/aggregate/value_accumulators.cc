#include <cmath>
#include <cstddef>
#include <cstring>

#include "base/coding.h"
#include "base/value_codec.h"
#include "operators/aggregate/accumulator_kinds.h"
#include "operators/aggregate/compare.h"
#include "operators/aggregate/value_state.h"

namespace rivulet {
namespace {

ValueState* State(char* p) { return reinterpret_cast<ValueState*>(p); }
const ValueState* State(const char* p) { return reinterpret_cast<const ValueState*>(p); }

// What extremes and edges share: one value, perhaps a string on the heap.
class OneValue : public Accumulator {
 public:
  void Init(char* state) const override { std::memset(state, 0, size()); }
  void Destroy(char* state) const override { ReleaseValue(State(state)); }
  bool has_heap() const override { return true; }
  size_t HeapBytes(const char* state) const override {
    return ValueHeapBytes(*State(state));
  }
};

class Extreme final : public OneValue {
 public:
  explicit Extreme(bool want_max) : want_max_(want_max) {}

  size_t size() const override { return offsetof(ValueState, time); }

  void Update(const AccumulateInput& in, size_t offset) const override {
    const Column& column = *in.argument;
    if (column.Only(Type::kFloat)) {
      UpdateUniform(in, offset, Type::kFloat, &Cell::f);
    } else if (column.Only(Type::kInt)) {
      UpdateUniform(in, offset, Type::kInt, &Cell::i);
    } else {
      for (uint32_t k = 0; k < in.count; ++k) {
        Offer(State(in.blocks[k] + offset), column.Get(in.rows[k]));
      }
    }
  }
  void Merge(char* into, const char* from) const override { Offer(State(into), ReadValue(*State(from))); }
  void Encode(const char* state, std::string* out) const override {
    PutValue(out, ReadValue(*State(state)), IntForm::kVarint);
  }
  bool Decode(std::string_view* in, char* state) const override {
    Init(state);
    Value v;
    if (!GetValue(in, &v, IntForm::kVarint)) return false;
    AssignValue(State(state), v);
    return true;
  }

 private:
  template <typename T>
  void UpdateUniform(const AccumulateInput& in, size_t offset, Type type, T Cell::*member) const {
    if (want_max_) {
      UpdateUniform(in, offset, type, member, [](T v, T best) { return v > best ? v : best; });
    } else {
      UpdateUniform(in, offset, type, member, [](T v, T best) { return v < best ? v : best; });
    }
  }
  // Stores the better one without asking whether it is new: in a short window it so often is that the
  // processor could not foresee it. NaN is never better.
  template <typename T, typename Choose>
  void UpdateUniform(const AccumulateInput& in, size_t offset, Type type, T Cell::*member,
                     Choose choose) const {
    const Cell* cells = in.argument->cells();
    const Type* tags = in.argument->tags();
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      ValueState* s = State(in.blocks[k] + offset);
      if (s->type == type && tags[row] == type) {
        s->cell.*member = choose(cells[row].*member, s->cell.*member);
      } else {
        Offer(s, in.argument->Get(row));
      }
    }
  }
  void Offer(ValueState* s, const Value& v) const {
    if (v.is_null() || (v.type == Type::kFloat && std::isnan(v.f))) return;
    if (s->type == Type::kNull || Better(v, ReadValue(*s))) AssignValue(s, v);
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
    if (other->type != Type::kNull) Offer(State(into), other->time, ReadValue(*other));
  }
  void Encode(const char* state, std::string* out) const override {
    PutValue(out, ReadValue(*State(state)), IntForm::kVarint);
    PutFixed(out, State(state)->time);
  }
  bool Decode(std::string_view* in, char* state) const override {
    Init(state);
    Value v;
    int64_t time = 0;
    if (!GetValue(in, &v, IntForm::kVarint) || !GetFixed(in, &time)) return false;
    AssignValue(State(state), v);
    State(state)->time = time;
    return true;
  }

 private:
  // Later in arrival: wins ties for last, loses them for first.
  void Offer(ValueState* s, int64_t time, const Value& v) const {
    const bool take = s->type == Type::kNull || (want_last_ ? time >= s->time : time < s->time);
    if (!take) return;
    AssignValue(s, v);
    s->time = time;
  }

  bool want_last_;
};

// The value of the record in which another value is smallest or largest; among several such records that of
// the earliest event time, among those the first to arrive. Records in which either is null do not count.
class ExtremeBy final : public Accumulator {
 public:
  explicit ExtremeBy(bool want_max) : want_max_(want_max) {}

  struct Pair {
    ValueState value;  // and the record's event time
    ValueState by;     // its time is not used
  };

  size_t size() const override { return sizeof(Pair); }
  void Init(char* state) const override { std::memset(state, 0, sizeof(Pair)); }
  void Destroy(char* state) const override {
    ReleaseValue(&As(state)->value);
    ReleaseValue(&As(state)->by);
  }
  bool has_heap() const override { return true; }
  size_t HeapBytes(const char* state) const override {
    return ValueHeapBytes(As(state)->value) + ValueHeapBytes(As(state)->by);
  }

  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      if (in.argument->is_null(row)) continue;
      Offer(As(in.blocks[k] + offset), in.time[row], in.argument->Get(row), in.second->Get(row));
    }
  }
  void Merge(char* into, const char* from) const override {
    const Pair* other = As(from);
    Offer(As(into), other->value.time, ReadValue(other->value), ReadValue(other->by));
  }
  void Encode(const char* state, std::string* out) const override {
    PutValue(out, ReadValue(As(state)->by), IntForm::kVarint);
    if (As(state)->by.type == Type::kNull) return;
    PutValue(out, ReadValue(As(state)->value), IntForm::kVarint);
    PutFixed(out, As(state)->value.time);
  }
  bool Decode(std::string_view* in, char* state) const override {
    Init(state);
    Value by, value;
    int64_t time = 0;
    if (!GetValue(in, &by, IntForm::kVarint)) return false;
    if (by.is_null()) return true;
    if (!GetValue(in, &value, IntForm::kVarint) || value.is_null() || !GetFixed(in, &time)) return false;
    AssignValue(&As(state)->by, by);
    AssignValue(&As(state)->value, value);
    As(state)->value.time = time;
    return true;
  }

 private:
  static Pair* As(char* p) { return reinterpret_cast<Pair*>(p); }
  static const Pair* As(const char* p) { return reinterpret_cast<const Pair*>(p); }

  void Offer(Pair* s, int64_t time, const Value& value, const Value& by) const {
    if (by.is_null() || (by.type == Type::kFloat && std::isnan(by.f))) return;
    if (s->by.type != Type::kNull) {
      const int order = CompareValues(by, ReadValue(s->by));
      if (order != 0 ? (order > 0) != want_max_ : time >= s->value.time) return;
    }
    AssignValue(&s->by, by);
    AssignValue(&s->value, value);
    s->value.time = time;
  }

  bool want_max_;
};

}  // namespace

AccumulatorPtr NewExtreme(bool want_max) { return std::make_shared<Extreme>(want_max); }
AccumulatorPtr NewEdge(bool want_last) { return std::make_shared<Edge>(want_last); }
AccumulatorPtr NewExtremeBy(bool want_max) { return std::make_shared<ExtremeBy>(want_max); }

Value ReadValueState(const char* state) { return ReadValue(*State(state)); }

}  // namespace rivulet
