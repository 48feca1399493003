// TimerRows: the stored timers of keys that are not in memory.
//
//   prefix | time (8 bytes, ordered) | key  ->  nothing
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "operators/state/state_view.h"
#include "operators/state/fire_point.h"

namespace rivulet {

// A time that does not come.
inline constexpr int64_t kNoTimer = std::numeric_limits<int64_t>::max();

// One thread.
class TimerRows {
 public:
  // `view` must outlive this.
  TimerRows(std::string prefix, const StateView* view) : prefix_(std::move(prefix)), view_(view) {}

  // Learns when the first one rings. Cost: a seek.
  Status Open();
  std::string Row(int64_t time, std::string_view key) const;
  // No row of a key that is not in memory has an earlier time. us
  int64_t next() const { return next_; }
  // A key left memory whose row has this time.
  void Lower(int64_t time);
  // Appends the keys, of those that are `wanted`, whose rows lie behind `fired` and within `point`; next() is
  // then the first row's behind `point`. As long as a commit is outstanding, rows of some are about to go.
  Status TakeDue(const FirePoint& fired, const FirePoint& point,
                 const std::function<bool(std::string_view)>& wanted, std::vector<std::string>* due);
  // Rows behind `fired`, in order, until `visit` returns false.
  using Visitor = std::function<bool(int64_t time, std::string_view key)>;
  Status Visit(const FirePoint& fired, const Visitor& visit) const;
  // Moves `point` back to the row up to which, from behind `fired`, there are `limit`.
  Status Limit(const FirePoint& fired, size_t limit, FirePoint* point) const;

 private:
  // Of the first row behind `fired`.
  std::string From(const FirePoint& fired) const;

  std::string prefix_;
  const StateView* view_;
  int64_t next_ = kNoTimer;
};

}  // namespace rivulet
