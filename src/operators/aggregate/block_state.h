// Helpers for accumulators whose state lies wholly in the block.
#pragma once

#include <cstdint>

#include "base/record_batch.h"

namespace rivulet {

template <typename State>
State* As(char* p) {
  return reinterpret_cast<State*>(p);
}
template <typename State>
const State* As(const char* p) {
  return reinterpret_cast<const State*>(p);
}

// The number at `row` as a float; false when there is none.
inline bool ReadNumber(const Column& column, uint32_t row, double* v) {
  const Type type = column.type(row);
  if (type == Type::kFloat) {
    *v = column.Float(row);
    return true;
  }
  if (type != Type::kInt) return false;
  *v = static_cast<double>(column.Int(row));
  return true;
}

// A float sum with what rounding lost (Knuth 1969, Neumaier 1974).
struct CompensatedSum {
  double f = 0, c = 0;
  void Add(double v) {
    const double sum = f + v;
    const double part = sum - f;
    c += (f - (sum - part)) + (v - part);
    f = sum;
  }
  void Add(const CompensatedSum& other) {
    Add(other.f);
    c += other.c;
  }
  // An infinite sum has a meaningless compensation.
  double Value() const { return c - c == 0 ? f + c : f; }
};

}  // namespace rivulet
