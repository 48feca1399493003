// MemoryBudget: how `state.memory` is shared out, and what a commit costs while it runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "state/store.h"

namespace rivulet {

// What pipelines hold that commits let go.
struct MemoryUse {
  size_t state = 0;       // bytes
  size_t outputs = 0;     // bytes
  size_t dirty_rows = 0;  // of the state: what the next commit would put
};

// A third is for panes; evicting copies those that stay, at most half of it again. A quarter is for the pages
// that the store copies during a commit. The rest is slack: turns in flight, outputs, the allocator.
struct MemoryBudget {
  static constexpr uint64_t kPage = 4096;
  // For outputs that are stored and wait for sinks.
  static constexpr uint64_t kStoredOutputs = 4 << 20;
  uint64_t total;
  // What is left beside tables, which stay in memory as a whole: a quarter at least.
  MemoryBudget Without(uint64_t tables) const { return {total - std::min(tables, total - total / 4)}; }
  uint64_t panes() const { return total / 3; }
  uint64_t commit() const { return total / 4; }
  // For outputs that wait for a commit, which holds them once more.
  uint64_t outputs() const { return std::clamp<uint64_t>(total / 8, 4 << 20, 16 << 20); }

  // How many messages a turn of pipelines that read together may take at most. Each may be of a key that is
  // new to all of them; or of one that lies elsewhere in the store, for which its row and a timer row go to a
  // page each. A turn alone must cost neither more memory nor more pages than a commit may.
  size_t TurnMessages(size_t most, size_t pipelines, const StoreStats& stats) const {
    constexpr uint64_t kRowsOfKey = 2, kBytesOfKey = 512, kLeast = 64;
    pipelines = std::max<size_t>(pipelines, 1);
    const uint64_t pages = commit() / kPage;
    uint64_t messages = commit() / (kBytesOfKey * pipelines);
    if (stats.used_bytes / kPage > pages) messages = std::min(messages, pages / (kRowsOfKey * pipelines));
    return static_cast<size_t>(std::clamp<uint64_t>(messages, std::min<uint64_t>(kLeast, most), most));
  }

  // Estimated bytes for putting `rows` rows of window state. Rows of few keys lie together on few pages; in a
  // large store, rows of scattered keys touch a page each.
  static uint64_t CommitCost(size_t rows, const StoreStats& stats) {
    constexpr uint64_t kRowsOnFreshPage = 24;
    const uint64_t pages =
        std::min<uint64_t>(rows, stats.used_bytes / kPage + rows / kRowsOnFreshPage);
    return pages * kPage;
  }

  // Whether a commit has to let go of some of it before more is taken in.
  bool CommitDue(const MemoryUse& use, const StoreStats& stats) const {
    return use.outputs > outputs() || use.state > panes() || CommitCost(use.dirty_rows, stats) > commit();
  }
  // Whether nothing more is taken in while a commit is under way.
  bool Full(const MemoryUse& use) const { return use.outputs > outputs() || use.state > total / 4 * 3; }
};

}  // namespace rivulet
