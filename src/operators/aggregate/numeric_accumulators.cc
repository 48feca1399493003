#include <cmath>
#include <cstring>

#include "base/coding.h"
#include "operators/aggregate/accumulator_kinds.h"
#include "operators/aggregate/block_state.h"

namespace rivulet {
namespace {

class Rows final : public Accumulator {
 public:
  size_t size() const override { return sizeof(uint64_t); }
  void Init(char* state) const override { *As<uint64_t>(state) = 0; }
  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      if (in.argument == nullptr || !in.argument->is_null(in.rows[k])) {
        ++*As<uint64_t>(in.blocks[k] + offset);
      }
    }
  }
  void Merge(char* into, const char* from) const override {
    *As<uint64_t>(into) += *As<uint64_t>(from);
  }
  void Encode(const char* state, std::string* out) const override {
    PutVarint(out, *As<uint64_t>(state));
  }
  bool Decode(std::string_view* in, char* state) const override {
    return GetVarint(in, As<uint64_t>(state));
  }
};

// Adds a float with two-sum: `f` is the rounded sum, `c` what rounding lost.
inline void AddFloat(SumState* s, double v) {
  const double sum = s->f + v;
  const double part = sum - s->f;
  s->c += (s->f - (sum - part)) + (v - part);
  s->f = sum;
}

// What does not fit into int64 goes to `f` in whole multiples of 2^64: without floats beside it, exactly.
inline void AddInt(SumState* s, int64_t v) {
  if (__builtin_add_overflow(s->i, v, &s->i)) {
    AddFloat(s, v > 0 ? SumState::kCarry : -SumState::kCarry);
  }
}

class Sum final : public Accumulator {
 public:
  size_t size() const override { return sizeof(SumState); }
  void Init(char* state) const override { std::memset(state, 0, sizeof(SumState)); }

  void Update(const AccumulateInput& in, size_t offset) const override {
    const Cell* cells = in.argument->cells();
    const Type* tags = in.argument->tags();
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      auto* s = As<SumState>(in.blocks[k] + offset);
      if (tags[row] == Type::kFloat) {
        AddFloat(s, cells[row].f);
        s->n = (s->n + 1) | SumState::kFloatSeen;
      } else if (tags[row] == Type::kInt) {
        ++s->n;
        AddInt(s, cells[row].i);
      }
    }
  }

  void Merge(char* into, const char* from) const override {
    auto* a = As<SumState>(into);
    const auto* b = As<SumState>(from);
    const uint64_t n = (a->n & ~SumState::kFloatSeen) + (b->n & ~SumState::kFloatSeen);
    const uint64_t flag = (a->n | b->n) & SumState::kFloatSeen;
    a->n = n | flag;
    AddFloat(a, b->f);
    a->c += b->c;
    AddInt(a, b->i);
  }

  // A flag byte says which parts follow: whole-number telemetry stays small on disk.
  void Encode(const char* state, std::string* out) const override {
    const auto* s = As<SumState>(state);
    const bool has_float = (s->n & SumState::kFloatSeen) != 0;
    const bool has_compensation = has_float && s->c != 0;
    const bool has_int = s->i != 0;
    const bool has_carries = !has_float && s->f != 0;
    out->push_back(static_cast<char>((has_float ? 1 : 0) | (has_compensation ? 2 : 0) |
                                     (has_int ? 4 : 0) | (has_carries ? 8 : 0)));
    PutVarint(out, s->n & ~SumState::kFloatSeen);
    if (has_float || has_carries) PutFixed(out, s->f);
    if (has_compensation) PutFixed(out, s->c);
    if (has_int) PutSignedVarint(out, s->i);
  }
  bool Decode(std::string_view* in, char* state) const override {
    auto* s = As<SumState>(state);
    Init(state);
    uint8_t flags = 0;
    if (!GetFixed(in, &flags) || !GetVarint(in, &s->n)) return false;
    if ((flags & 1) != 0) s->n |= SumState::kFloatSeen;
    if ((flags & (1 | 8)) != 0 && !GetFixed(in, &s->f)) return false;
    if ((flags & 1) == 0 && !SumState::IsCarries(s->f)) return false;
    if ((flags & 2) != 0 && !GetFixed(in, &s->c)) return false;
    if ((flags & 4) != 0 && !GetSignedVarint(in, &s->i)) return false;
    return true;
  }
};

class Moments final : public Accumulator {
 public:
  size_t size() const override { return sizeof(MomentsState); }
  void Init(char* state) const override { *As<MomentsState>(state) = {0, 0, 0}; }

  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      const Type type = in.argument->type(row);
      if (type != Type::kInt && type != Type::kFloat) continue;
      const double v = type == Type::kInt ? static_cast<double>(in.argument->Int(row))
                                          : in.argument->Float(row);
      auto* s = As<MomentsState>(in.blocks[k] + offset);
      s->n += 1;
      const double delta = v - s->mean;
      s->mean += delta / s->n;
      s->m2 += delta * (v - s->mean);
    }
  }
  void Merge(char* into, const char* from) const override {
    auto* a = As<MomentsState>(into);
    const auto* b = As<MomentsState>(from);
    if (b->n == 0) return;
    if (a->n == 0) {
      *a = *b;
      return;
    }
    const double n = a->n + b->n;
    const double delta = b->mean - a->mean;
    a->mean += delta * (b->n / n);
    a->m2 += b->m2 + delta * delta * (a->n * b->n / n);
    a->n = n;
  }
  void Encode(const char* state, std::string* out) const override {
    out->append(state, sizeof(MomentsState));
  }
  bool Decode(std::string_view* in, char* state) const override {
    return GetFixed(in, As<MomentsState>(state));
  }
};

}  // namespace

AccumulatorPtr NewRows() { return std::make_shared<Rows>(); }
AccumulatorPtr NewSum() { return std::make_shared<Sum>(); }
AccumulatorPtr NewMoments() { return std::make_shared<Moments>(); }

uint64_t RowsCount(const char* state) { return *As<uint64_t>(state); }

}  // namespace rivulet
