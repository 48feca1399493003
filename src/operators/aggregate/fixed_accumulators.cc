// Accumulators of fixed size over numbers and conditions: comoments, histogram, truths, decay.
#include <cmath>
#include <cstring>

#include "base/coding.h"
#include "operators/aggregate/accumulator_kinds.h"
#include "operators/aggregate/block_state.h"

namespace rivulet {
namespace {

// Variances and covariance of x and y, updated after Welford (1962), merged after Chan, Golub and LeVeque
// (1979) and Bennett et al. (2009). With one argument, y, x is the event time in seconds since the
// first record: as such it is small and exact.
class Comoments final : public Accumulator {
 public:
  size_t size() const override { return sizeof(ComomentsState); }
  void Init(char* state) const override { *As<ComomentsState>(state) = ComomentsState{}; }

  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      auto* s = As<ComomentsState>(in.blocks[k] + offset);
      double x = 0, y = 0;
      if (!ReadNumber(*in.argument, row, &y)) continue;
      if (in.second != nullptr) {
        if (!ReadNumber(*in.second, row, &x)) continue;
      } else {
        if (s->n == 0) s->base = in.time[row];
        x = SecondsBetween(s->base, in.time[row]);
      }
      Add(s, x, y);
    }
  }

  void Merge(char* into, const char* from) const override {
    auto* a = As<ComomentsState>(into);
    const auto* b = As<ComomentsState>(from);
    if (b->n == 0) return;
    if (a->n == 0) {
      *a = *b;
      return;
    }
    const double n = a->n + b->n;
    const double dx = b->mean_x + SecondsBetween(a->base, b->base) - a->mean_x;
    const double dy = b->mean_y - a->mean_y;
    const double weight = a->n * (b->n / n);
    a->xx += b->xx + dx * dx * weight;
    a->yy += b->yy + dy * dy * weight;
    a->xy += b->xy + dx * dy * weight;
    a->mean_x += dx * (b->n / n);
    a->mean_y += dy * (b->n / n);
    a->n = n;
  }

  void Encode(const char* state, std::string* out) const override {
    out->append(state, sizeof(ComomentsState));
  }
  bool Decode(std::string_view* in, char* state) const override {
    return GetFixed(in, As<ComomentsState>(state));
  }

 private:
  static double SecondsBetween(int64_t from, int64_t to) {
    return (static_cast<double>(to) - static_cast<double>(from)) / 1e6;
  }
  static void Add(ComomentsState* s, double x, double y) {
    s->n += 1;
    const double dx = x - s->mean_x;
    const double dy = y - s->mean_y;
    s->mean_x += dx / s->n;
    s->mean_y += dy / s->n;
    s->xx += dx * (x - s->mean_x);
    s->yy += dy * (y - s->mean_y);
    s->xy += dx * (y - s->mean_y);
  }
};

// Counts below `low`, in `buckets` parts of equal width, and at or above `high`. Bucket i takes numbers from
// low + (high - low) * i / buckets, computed so, to below that of i + 1. NaN does not count.
class Histogram final : public Accumulator {
 public:
  Histogram(double low, double high, uint32_t buckets)
      : low_(low), high_(high), buckets_(buckets), per_width_(buckets / (high - low)) {}

  size_t size() const override { return (buckets_ + 2) * sizeof(uint64_t); }
  void Init(char* state) const override { std::memset(state, 0, size()); }
  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      double v = 0;
      if (!ReadNumber(*in.argument, in.rows[k], &v) || std::isnan(v)) continue;
      ++As<uint64_t>(in.blocks[k] + offset)[Place(v)];
    }
  }
  void Merge(char* into, const char* from) const override {
    for (uint32_t i = 0; i < buckets_ + 2; ++i) As<uint64_t>(into)[i] += As<uint64_t>(from)[i];
  }
  // Pairs of distance from the count before, and count; 0 ends them.
  void Encode(const char* state, std::string* out) const override {
    uint32_t before = 0;
    for (uint32_t i = 0; i < buckets_ + 2; ++i) {
      const uint64_t count = As<uint64_t>(state)[i];
      if (count == 0) continue;
      PutVarint(out, i + 1 - before);
      PutVarint(out, count);
      before = i + 1;
    }
    out->push_back(0);
  }
  bool Decode(std::string_view* in, char* state) const override {
    Init(state);
    uint64_t place = 0, step = 0;
    while (GetVarint(in, &step)) {
      if (step == 0) return true;
      uint64_t count = 0;
      if (step > buckets_ + 2 || place + step > buckets_ + 2) return false;
      place += step;
      if (!GetVarint(in, &count) || count == 0 || count > (uint64_t{1} << 56)) return false;
      As<uint64_t>(state)[place - 1] = count;
    }
    return false;
  }

 private:
  double Edge(uint32_t i) const { return low_ + (high_ - low_) * i / buckets_; }
  uint32_t Place(double v) const {
    if (v < low_) return 0;
    if (v >= high_) return buckets_ + 1;
    const double guess = (v - low_) * per_width_;
    uint32_t i = guess < buckets_ ? static_cast<uint32_t>(guess) : buckets_ - 1;
    while (i > 0 && v < Edge(i)) --i;
    while (i + 1 < buckets_ && v >= Edge(i + 1)) ++i;
    return i + 1;
  }

  double low_, high_;
  uint32_t buckets_;
  double per_width_;
};

class Truths final : public Accumulator {
 public:
  size_t size() const override { return sizeof(TruthsState); }
  void Init(char* state) const override { *As<TruthsState>(state) = TruthsState{}; }
  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      const uint32_t row = in.rows[k];
      if (in.argument->type(row) != Type::kBool) continue;
      auto* s = As<TruthsState>(in.blocks[k] + offset);
      (in.argument->Bool(row) ? s->any_true : s->any_false) = 1;
    }
  }
  void Merge(char* into, const char* from) const override {
    As<TruthsState>(into)->any_true |= As<TruthsState>(from)->any_true;
    As<TruthsState>(into)->any_false |= As<TruthsState>(from)->any_false;
  }
  void Encode(const char* state, std::string* out) const override {
    const auto* s = As<TruthsState>(state);
    out->push_back(static_cast<char>(s->any_true | s->any_false << 1));
  }
  bool Decode(std::string_view* in, char* state) const override {
    uint8_t bits = 0;
    if (!GetFixed(in, &bits) || bits > 3) return false;
    *As<TruthsState>(state) = {bits & 1u, static_cast<uint32_t>(bits) >> 1};
    return true;
  }
};

// 2 to the power of `x` <= 0, by its series: the C library's exp2 differs between platforms.
double PowerOfTwo(double x) {
  if (!(x > -1100)) return 0;
  const double whole = std::floor(x + 0.5);
  const double z = (x - whole) * 0.6931471805599453;  // ln 2; |z| < 0.35
  double sum = 1;
  for (int n = 14; n >= 1; --n) sum = 1 + sum * z / n;
  return std::ldexp(sum, static_cast<int>(whole));
}

// sum(w v) / sum(w) with w = 2^(-age / half-life), age counted back from the newest event time. In whichever
// order records come, each has the same weight in the end.
class Decay final : public Accumulator {
 public:
  explicit Decay(double half_life_ms) : half_life_us_(half_life_ms * 1000) {}

  size_t size() const override { return sizeof(DecayState); }
  void Init(char* state) const override { *As<DecayState>(state) = DecayState{}; }
  void Update(const AccumulateInput& in, size_t offset) const override {
    for (uint32_t k = 0; k < in.count; ++k) {
      double v = 0;
      if (!ReadNumber(*in.argument, in.rows[k], &v)) continue;
      Add(As<DecayState>(in.blocks[k] + offset), {1, v, in.time[in.rows[k]]});
    }
  }
  void Merge(char* into, const char* from) const override {
    Add(As<DecayState>(into), *As<DecayState>(from));
  }
  void Encode(const char* state, std::string* out) const override {
    out->append(state, sizeof(DecayState));
  }
  bool Decode(std::string_view* in, char* state) const override {
    return GetFixed(in, As<DecayState>(state));
  }

 private:
  double Weight(int64_t newer, int64_t older) const {
    return PowerOfTwo((static_cast<double>(older) - static_cast<double>(newer)) / half_life_us_);
  }
  void Add(DecayState* s, const DecayState& other) const {
    if (other.weight == 0) return;
    if (s->weight == 0) {
      *s = other;
    } else if (other.time > s->time) {
      const double w = Weight(other.time, s->time);
      *s = {s->weight * w + other.weight, s->weighted * w + other.weighted, other.time};
    } else {
      const double w = Weight(s->time, other.time);
      s->weight += other.weight * w;
      s->weighted += other.weighted * w;
    }
  }

  double half_life_us_;
};

}  // namespace

AccumulatorPtr NewComoments() { return std::make_shared<Comoments>(); }
AccumulatorPtr NewHistogram(double low, double high, uint32_t buckets) {
  return std::make_shared<Histogram>(low, high, buckets);
}
AccumulatorPtr NewTruths() { return std::make_shared<Truths>(); }
AccumulatorPtr NewDecay(double half_life_ms) { return std::make_shared<Decay>(half_life_ms); }

}  // namespace rivulet
