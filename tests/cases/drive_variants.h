// The ways in which the same input must give the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/cases/pipeline_harness.h"

namespace rivulet {

// Every other way to run the same input; `seed` varies the cuts.
std::vector<std::pair<std::string, DriveOptions>> Variants(uint64_t seed);

// Seeds of a property test: RIVULET_TEST_SEED and RIVULET_TEST_SEEDS, or from 1 on, `usual` of them.
uint64_t FirstSeed();
uint64_t SeedCount(uint64_t usual);

}  // namespace rivulet
