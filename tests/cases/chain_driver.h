// ChainDriver: pipelines that read each other's results, over messages in memory, with turns, commits of some
// of them, and crashes where the test wants them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/cases/pipeline_harness.h"

namespace rivulet {

struct ChainOptions {
  uint32_t workers = 1;
  uint64_t seed = 0;
  size_t longest_turn = 0;  // messages or results; 0: all there are
  double commit = 1;        // after a step, of some of the pipelines
  double crash = 0;
  double evict = 0;
};

// `yamls`: the first reads `lines`, each of the others one before it. The end of the input closes all windows
// of all. Returns what each puts out. Every Status, and that entries that come again have the bytes they had
// before, is checked here.
std::vector<Outputs> DriveChain(const std::vector<std::string>& yamls,
                                const std::vector<StreamLine>& lines, const ChainOptions& options);

}  // namespace rivulet
