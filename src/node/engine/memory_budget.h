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
  uint64_t total;
  uint64_t panes() const { return total / 3; }
  uint64_t commit() const { return total / 4; }

  // Estimated bytes for putting `rows` rows of window state. Rows of few keys lie together on few pages; in a
  // large store, rows of scattered keys touch a page each.
  static uint64_t CommitCost(size_t rows, const StoreStats& stats) {
    constexpr uint64_t kPage = 4096, kRowsOnFreshPage = 24;
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
