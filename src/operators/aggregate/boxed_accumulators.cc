#include "operators/aggregate/boxed_accumulators.h"

#include "base/coding.h"
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
  void Encode(const char* state, std::string* out) const override {
    const Object* object = Unboxed<Object>(state);
    out->push_back(object == nullptr ? 0 : 1);
    if (object != nullptr) object->Encode(out);
  }
  bool Decode(std::string_view* in, char* state) const override {
    Init(state);
    uint8_t any = 0;
    if (!GetFixed(in, &any) || any > 1) return false;
    return any == 0 || rules_.Decode(Get(state), in);
  }

 protected:
  const Rules& rules() const { return rules_; }

 private:
  static void Put(char* state, Object* object) { std::memcpy(state, &object, sizeof(object)); }
  static Object* Get(char* state) {
    Object* object = Unboxed<Object>(state);
    if (object == nullptr) Put(state, object = new Object());
    return object;
  }

  Rules rules_;
};

struct QuantileRules {
  using Object = QuantileSketch;
  QuantileMapping mapping;
  void Add(Object* o, const AccumulateInput& in, uint32_t row) const {
    double v = 0;
    if (ReadNumber(*in.argument, row, &v)) o->Add(mapping, v);
  }
  void Merge(Object* into, const Object& from) const { into->Merge(mapping, from); }
  bool Decode(Object* o, std::string_view* in) const { return o->Decode(mapping, in); }
};

class Quantiles final : public Boxed<QuantileRules, QuantileAccumulator> {
 public:
  using Boxed::Boxed;
  Value Quantile(const char* state, double p) const override {
    const QuantileSketch* sketch = Unboxed<QuantileSketch>(state);
    if (sketch == nullptr || sketch->count() == 0) return Value::Null();
    return Value::Float(sketch->Quantile(rules().mapping, p));
  }
};

struct NumberRules {
  using Object = NumberList;
  void Add(Object* o, const AccumulateInput& in, uint32_t row) const {
    double v = 0;
    if (ReadNumber(*in.argument, row, &v)) o->Add(v);
  }
  void Merge(Object* into, const Object& from) const { into->Merge(from); }
  bool Decode(Object* o, std::string_view* in) const { return o->Decode(in); }
};

template <typename T>
struct ValueRules {
  using Object = T;
  void Add(Object* o, const AccumulateInput& in, uint32_t row) const {
    o->Add(in.argument->Get(row));
  }
  void Merge(Object* into, const Object& from) const { into->Merge(from); }
  bool Decode(Object* o, std::string_view* in) const { return o->Decode(in); }
};

struct ListRules {
  using Object = ValueList;
  size_t limit;
  void Add(Object* o, const AccumulateInput& in, uint32_t row) const {
    o->Add(in.time[row], in.argument->Get(row), limit);
  }
  void Merge(Object* into, const Object& from) const { into->Merge(from, limit); }
  bool Decode(Object* o, std::string_view* in) const { return o->Decode(in, limit); }
};

}  // namespace

AccumulatorPtr NewQuantiles(double error) {
  return std::make_shared<Quantiles>(QuantileRules{QuantileMapping(error)});
}
AccumulatorPtr NewNumbers() { return std::make_shared<Boxed<NumberRules>>(NumberRules{}); }
AccumulatorPtr NewDistinct() {
  return std::make_shared<Boxed<ValueRules<DistinctCounter>>>(ValueRules<DistinctCounter>{});
}
AccumulatorPtr NewFrequent() {
  return std::make_shared<Boxed<ValueRules<FrequentValues>>>(ValueRules<FrequentValues>{});
}
AccumulatorPtr NewList(size_t limit) {
  return std::make_shared<Boxed<ListRules>>(ListRules{limit});
}

}  // namespace rivulet
