#include "tests/cases/drive_variants.h"

#include <cstdlib>

namespace rivulet {

std::vector<std::pair<std::string, DriveOptions>> Variants(uint64_t seed) {
  std::vector<std::pair<std::string, DriveOptions>> all;
  const auto cut = [seed](uint32_t workers, size_t longest_turn) {
    DriveOptions o;
    o.workers = workers;
    o.seed = seed;
    o.longest_turn = longest_turn;
    return o;
  };
  for (const size_t turn : {1, 3, 40}) {
    all.emplace_back("turns up to " + std::to_string(turn), cut(1, turn));
  }
  for (uint32_t workers = 2; workers <= 4; ++workers) {
    all.emplace_back(std::to_string(workers) + " workers", cut(workers, 30));
  }
  DriveOptions o = cut(2, 12);
  o.durable = true;
  o.commit = 0.4;
  all.emplace_back("commits", o);
  o.evict = 1;
  o.workers = 1;
  all.emplace_back("commits and evictions", o);
  o.overlap = 0.7;
  o.evict = 0.5;
  all.emplace_back("commits beside turns", o);
  o.crash = 0.15;
  all.emplace_back("crashes", o);
  o.any_workers = true;
  o.overlap = 0;
  o.evict = 0.8;
  all.emplace_back("crashes and other numbers of workers", o);
  return all;
}

uint64_t FirstSeed() {
  const char* text = std::getenv("RIVULET_TEST_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}
uint64_t SeedCount(uint64_t usual) {
  const char* text = std::getenv("RIVULET_TEST_SEEDS");
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

}  // namespace rivulet
