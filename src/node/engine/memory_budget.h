// MemoryBudget: how `state.memory` is shared out, and what a commit costs while it runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "state/store.h"

namespace rivulet {

// A third is for panes; evicting copies those that stay, at most half of it again. A quarter is for the pages
// that the store copies during a commit. The rest is slack: turns in flight, outputs, the allocator.
struct MemoryBudget {
  static constexpr uint64_t kPage = 4096;
  uint64_t total;
  uint64_t panes() const { return total / 3; }
  uint64_t commit() const { return total / 4; }

  // How many messages a turn may take at most. Each may be of a key that lies elsewhere in the store, for
  // which its row and a timer row go to a page each; so a turn alone must not cost more than a commit may.
  size_t TurnMessages(size_t most, size_t pipelines, const StoreStats& stats) const {
    constexpr uint64_t kRowsOfKey = 2, kLeast = 256;
    const uint64_t pages = commit() / kPage;
    if (stats.used_bytes / kPage <= pages) return most;
    const uint64_t messages = pages / (kRowsOfKey * std::max<size_t>(pipelines, 1));
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

  // Whether state has to go to the store before more is taken in.
  bool CommitDue(size_t state_bytes, size_t dirty_rows, const StoreStats& stats) const {
    return state_bytes > panes() || CommitCost(dirty_rows, stats) > commit();
  }
};

}  // namespace rivulet
