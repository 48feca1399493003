#include "operators/aggregate/distinct_counter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <iterator>

#include "base/coding.h"
#include "base/hash.h"
#include "base/wide_int.h"
#include "operators/aggregate/accumulator_bounds.h"
#include "operators/aggregate/kept_value.h"

namespace rivulet {
namespace {

constexpr int kIndexBits = 12;
constexpr size_t kRegisters = size_t{1} << kIndexBits;
constexpr uint8_t kHighest = 64 - kIndexBits + 1;

// Ertl's sigma and tau: corrections for registers that are empty, and full.
double Sigma(double x) {
  if (x == 1) return INFINITY;
  double y = 1, z = x, before = 0;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}
double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before = 0;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

// The first of the ascending `hashes` that is not less than `hash`. Hashes are spread evenly, so it
// lies near where `hash` lies among all numbers: a few steps from there, where halving would be a
// guess at each step.
size_t LowerBound(const std::vector<uint64_t>& hashes, uint64_t hash) {
  size_t i = static_cast<size_t>(MultiplyHigh(hash, hashes.size()));
  while (i < hashes.size() && hashes[i] < hash) ++i;
  while (i > 0 && hashes[i - 1] >= hash) --i;
  return i;
}

}  // namespace

uint64_t HashValue(const Value& canonical) {
  char bytes[9];
  bytes[0] = static_cast<char>(canonical.type);
  switch (canonical.type) {
    case Type::kNull: return 0;
    case Type::kString: return Hash64(canonical.s);
    case Type::kBool: std::memset(bytes + 1, canonical.b ? 1 : 0, 8); break;
    case Type::kInt: std::memcpy(bytes + 1, &canonical.i, 8); break;
    case Type::kFloat: std::memcpy(bytes + 1, &canonical.f, 8); break;
  }
  return Hash64({bytes, sizeof(bytes)});
}

void DistinctCounter::Add(const Value& v) {
  if (v.is_null() || IsNan(v)) return;
  // Text counts in its whole length: only its hash is kept.
  AddHash(HashValue(v.type == Type::kString ? v : Canonical(v)));
}

void DistinctCounter::AddHash(uint64_t hash) {
  if (!registers_.empty()) return Register(hash);
  const size_t place = LowerBound(hashes_, hash);
  if (place < hashes_.size() && hashes_[place] == hash) return;
  if (hashes_.empty()) hashes_.reserve(8);
  hashes_.insert(hashes_.begin() + static_cast<std::ptrdiff_t>(place), hash);
  if (hashes_.size() > bounds::kMostExactValues) BecomeSketch();
}

void DistinctCounter::Register(uint64_t hash) {
  const size_t index = hash >> (64 - kIndexBits);
  const uint64_t rest = hash << kIndexBits;
  const int zeros = rest == 0 ? 64 - kIndexBits : __builtin_clzll(rest);
  registers_[index] = std::max(registers_[index], static_cast<uint8_t>(zeros + 1));
}

void DistinctCounter::BecomeSketch() {
  if (!registers_.empty()) return;
  registers_.assign(kRegisters, 0);
  for (const uint64_t hash : hashes_) Register(hash);
  hashes_ = std::vector<uint64_t>();
}

void DistinctCounter::Merge(const DistinctCounter& other) {
  if (registers_.empty() && other.registers_.empty()) {
    std::vector<uint64_t> both;
    both.reserve(hashes_.size() + other.hashes_.size());
    std::set_union(hashes_.begin(), hashes_.end(), other.hashes_.begin(), other.hashes_.end(),
                   std::back_inserter(both));
    hashes_.swap(both);
    if (hashes_.size() > bounds::kMostExactValues) BecomeSketch();
    return;
  }
  BecomeSketch();
  if (other.registers_.empty()) {
    for (const uint64_t hash : other.hashes_) Register(hash);
    return;
  }
  for (size_t i = 0; i < kRegisters; ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

int64_t DistinctCounter::Estimate() const {
  if (registers_.empty()) return static_cast<int64_t>(hashes_.size());
  std::array<uint32_t, kHighest + 1> histogram{};
  for (const uint8_t r : registers_) ++histogram[r];
  constexpr double m = kRegisters;
  double z = m * Tau(1 - histogram[kHighest] / m);
  for (int k = kHighest - 1; k >= 1; --k) z = 0.5 * (z + histogram[static_cast<size_t>(k)]);
  z += m * Sigma(histogram[0] / m);
  constexpr double kAlpha = 0.7213475204444817;  // 1 / (2 ln 2)
  const double estimate = kAlpha * m * m / z;
  return estimate < 0x1p62 ? static_cast<int64_t>(estimate + 0.5) : int64_t{1} << 62;
}

void DistinctCounter::Encode(std::string* out) const {
  if (registers_.empty()) {
    PutVarint(out, hashes_.size());
    for (const uint64_t hash : hashes_) PutFixed(out, hash);
    return;
  }
  // Six bits a register, four in three bytes.
  PutVarint(out, kRegisters);
  for (size_t i = 0; i < kRegisters; i += 4) {
    const uint32_t four = static_cast<uint32_t>(registers_[i]) |
                          static_cast<uint32_t>(registers_[i + 1]) << 6 |
                          static_cast<uint32_t>(registers_[i + 2]) << 12 |
                          static_cast<uint32_t>(registers_[i + 3]) << 18;
    for (int shift = 0; shift < 24; shift += 8) out->push_back(static_cast<char>(four >> shift));
  }
}

bool DistinctCounter::Decode(std::string_view* in) {
  *this = DistinctCounter();
  uint64_t count = 0;
  if (!GetVarint(in, &count)) return false;
  if (count <= bounds::kMostExactValues) {
    hashes_.resize(count);
    for (uint64_t& hash : hashes_) {
      if (!GetFixed(in, &hash)) return false;
    }
    return std::adjacent_find(hashes_.begin(), hashes_.end(), std::greater_equal<>()) ==
           hashes_.end();
  }
  if (count != kRegisters || in->size() < kRegisters / 4 * 3) return false;
  registers_.resize(kRegisters);
  for (size_t i = 0; i < kRegisters; i += 4) {
    uint32_t four = 0;
    for (size_t b = 0; b < 3; ++b) {
      four |= static_cast<uint32_t>(static_cast<uint8_t>((*in)[b])) << (8 * b);
    }
    in->remove_prefix(3);
    for (size_t r = 0; r < 4; ++r) {
      registers_[i + r] = static_cast<uint8_t>(four >> (6 * r) & 63);
      if (registers_[i + r] > kHighest) return false;
    }
  }
  return true;
}

}  // namespace rivulet
