#include "operators/aggregate/boxed_accumulators.h"

#include <limits>
#include <utility>

#include "base/coding.h"
#include "operators/aggregate/accumulator_bounds.h"
#include "operators/aggregate/accumulator_kinds.h"
#include "operators/aggregate/block_state.h"

namespace rivulet {
namespace {

// What they share. `Rules` says how an object of type Rules::Object is used.
template <typename Rules, typename Base = Accumulator>
class Boxed : public Base {
 public:
  using Object = typename Rules::Object;
  explicit Boxed(const Rules& rules) : rules_(rules) {}

  size_t size() const override { return sizeof(Object*); }
  void Init(char* state) const override { Put(state, nullptr); }
  void Destroy(char* state) const override {
    delete Unboxed<Object>(state);
    Put(state, nullptr);
  }
  bool has_heap() const override { return true; }
  size_t HeapBytes(const char* state) const override {
    const Object* object = Unboxed<Object>(state);
    return object == nullptr ? 0 : sizeof(Object) + 32 + object->HeapBytes();
  }
  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      if (!in.argument->is_null(row)) rules_.Add(Get(in.blocks[k] + offset), in, row);
    }
  }
  void Merge(char* into, const char* from) const override {
    const Object* other = Unboxed<Object>(from);
    if (other != nullptr) rules_.Merge(Get(into), *other);
  }

 protected:
  const Rules& rules() const { return rules_; }
  static Object* Get(char* state) {
    Object* object = Unboxed<Object>(state);
    if (object == nullptr) Put(state, object = new Object());
    return object;
  }

 private:
  static void Put(char* state, Object* object) { std::memcpy(state, &object, sizeof(object)); }

  Rules rules_;
};

// And their stored form: a byte says whether there is an object, and in which of its forms it follows.
template <typename Rules, typename Base = Accumulator>
class Stored : public Boxed<Rules, Base> {
 public:
  using Object = typename Rules::Object;
  using Boxed<Rules, Base>::Boxed;

  void Encode(const char* state, std::string* out) const override {
    const Object* object = Unboxed<Object>(state);
    out->push_back(object == nullptr ? 0 : static_cast<char>(this->rules().Form(*object)));
    if (object != nullptr) this->rules().Encode(*object, out);
  }
  bool Decode(std::string_view* in, char* state) const override {
    this->Init(state);
    uint8_t form = 0;
    if (!GetFixed(in, &form)) return false;
    if (form == 0) return true;
    return form <= Rules::kForms && this->rules().Decode(this->Get(state), form, in);
  }
};

// Of objects that are stored in one form.
template <typename T>
struct OneForm {
  using Object = T;
  static constexpr uint8_t kForms = 1;
  uint8_t Form(const T&) const { return 1; }
  void Encode(const T& o, std::string* out) const { o.Encode(out); }
};

struct NumberRules : OneForm<NumberList> {
  NumberLimits limits;
  void Add(Object* o, const AccumulateInput& in, uint32_t row) const {
    double v = 0;
    if (ReadNumber(*in.argument, row, &v)) o->Add(limits, v);
  }
  void Merge(Object* into, const Object& from) const { into->Merge(limits, from); }
  bool Decode(Object* o, uint8_t, std::string_view* in) const { return o->Decode(limits, in); }
};

// Form 1 is a sketch; form 2, not known before version 0.2, a few numbers.
struct QuantileRules : NumberRules {
  static constexpr uint8_t kForms = 2;
  uint8_t Form(const Object& o) const { return o.sketched() ? 1 : 2; }
  void Encode(const Object& o, std::string* out) const {
    return o.sketched() ? o.EncodeSketch(out) : o.EncodeFew(out);
  }
  bool Decode(Object* o, uint8_t form, std::string_view* in) const {
    return form == 1 ? o->DecodeSketch(limits, in) : o->DecodeFew(limits, in);
  }
};

template <typename Rules>
class Numbers final : public Stored<Rules, NumbersAccumulator> {
 public:
  using Stored<Rules, NumbersAccumulator>::Stored;
  const NumberLimits& limits() const override { return this->rules().limits; }
};

struct CurveRules {
  using Object = Curve;
  int64_t longest_gap_us;
  void Add(Object* o, const AccumulateInput& in, uint32_t row) const {
    double v = 0;
    if (ReadNumber(*in.argument, row, &v)) o->Add(longest_gap_us, {in.time[row], v});
  }
  void Merge(Object* into, const Object& from) const { into->Merge(longest_gap_us, from); }
};

class Curves final : public Boxed<CurveRules, CurveAccumulator> {
 public:
  using Boxed::Boxed;
  CurveTotal Total(const Curve& curve) const override { return curve.Total(rules().longest_gap_us); }
  void AddPoint(char* state, CurvePoint point) const override {
    Get(state)->Add(rules().longest_gap_us, point);
  }
  void Encode(const char* state, std::string* out) const override {
    static const Curve nothing;
    const Curve* curve = Unboxed<Curve>(state);
    (curve == nullptr ? nothing : *curve).Encode(out);
  }
  bool Decode(std::string_view* in, char* state) const override {
    Init(state);
    Curve curve;
    if (!curve.Decode(in)) return false;
    if (!curve.empty() || curve.missed() > 0) *Get(state) = std::move(curve);
    return true;
  }
};

template <typename T>
struct ValueRules : OneForm<T> {
  using typename OneForm<T>::Object;
  void Add(Object* o, const AccumulateInput& in, uint32_t row) const {
    o->Add(in.argument->Get(row));
  }
  void Merge(Object* into, const Object& from) const { into->Merge(from); }
  bool Decode(Object* o, uint8_t, std::string_view* in) const { return o->Decode(in); }
};

struct ListRules : OneForm<ValueList> {
  size_t limit;
  void Add(Object* o, const AccumulateInput& in, uint32_t row) const {
    o->Add(in.time[row], in.argument->Get(row), limit);
  }
  void Merge(Object* into, const Object& from) const { into->Merge(from, limit); }
  bool Decode(Object* o, uint8_t, std::string_view* in) const { return o->Decode(in, limit); }
};

}  // namespace

AccumulatorPtr NewQuantiles(double error) {
  return std::make_shared<Numbers<QuantileRules>>(
      QuantileRules{{{}, {bounds::kFewNumbers, QuantileMapping(error)}}});
}
AccumulatorPtr NewNumbers() {
  return std::make_shared<Numbers<NumberRules>>(
      NumberRules{{}, {bounds::kMostNumbers, QuantileMapping(bounds::kErrorBeyond)}});
}
AccumulatorPtr NewCurve(double longest_gap_ms) {
  const int64_t us = static_cast<int64_t>(longest_gap_ms) * 1000;
  return std::make_shared<Curves>(
      CurveRules{us > 0 ? us : std::numeric_limits<int64_t>::max()});
}
AccumulatorPtr NewDistinct() {
  return std::make_shared<Stored<ValueRules<DistinctCounter>>>(ValueRules<DistinctCounter>{});
}
AccumulatorPtr NewFrequent() {
  return std::make_shared<Stored<ValueRules<FrequentValues>>>(ValueRules<FrequentValues>{});
}
AccumulatorPtr NewList(size_t limit) {
  return std::make_shared<Stored<ListRules>>(ListRules{{}, limit});
}

bool LastReading(const char* state, int64_t* time_us, double* value) {
  const Curve* curve = Unboxed<Curve>(state);
  if (curve == nullptr || curve->empty()) return false;
  const CurvePoint last = curve->Last();
  *time_us = last.time;
  *value = last.value;
  return true;
}

void AddReading(const Accumulator& curve, char* state, int64_t time_us, double value) {
  static_cast<const CurveAccumulator&>(curve).AddPoint(state, {time_us, value});
}

}  // namespace rivulet
