// Seeds that once showed a bug. They always run.
#pragma once

#include <cstdint>
#include <vector>

namespace rivulet::sim {

struct Regression {
  uint64_t seed;
  const char* what;
};

inline const std::vector<Regression> kRegressions = {
};

}  // namespace rivulet::sim
