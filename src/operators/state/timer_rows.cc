#include "operators/state/timer_rows.h"

#include <algorithm>

#include "base/coding.h"

namespace rivulet {

Status TimerRows::Open() {
  return view_->Scan(prefix_, End(), [this](std::string_view row, std::string_view) {
    row.remove_prefix(prefix_.size());
    GetOrderedI64(&row, &next_);
    return false;
  });
}

std::string TimerRows::Row(int64_t time, std::string_view key) const {
  std::string row = prefix_;
  PutOrderedI64(&row, time);
  row.append(key);
  return row;
}

// The prefix ends with a letter.
std::string TimerRows::End() const {
  std::string end = prefix_;
  ++end.back();
  return end;
}

std::string TimerRows::From(const FirePoint& fired) const {
  if (!fired.whole) return Row(fired.time, fired.key) + '\0';
  return fired.time == kNoTimer ? End() : Row(fired.time + 1, "");
}

void TimerRows::Lower(int64_t time) { next_ = std::min(next_, time); }

Status TimerRows::TakeDue(const FirePoint& fired, const FirePoint& point,
                          const std::function<bool(std::string_view)>& wanted,
                          std::vector<std::string>* due) {
  if (next_ > point.time || next_ == kNoTimer) return Status::Ok();
  next_ = kNoTimer;
  return view_->Scan(From(fired), End(), [&](std::string_view row, std::string_view) {
    row.remove_prefix(prefix_.size());
    int64_t time = 0;
    if (!GetOrderedI64(&row, &time)) return true;
    if (!point.Covers(time, row)) {
      next_ = time;
      return false;
    }
    if (wanted(row)) due->emplace_back(row);
    return true;
  });
}

Status TimerRows::Limit(const FirePoint& fired, size_t limit, FirePoint* point) const {
  if (next_ > point->time) return Status::Ok();
  size_t count = 0;
  return view_->Scan(From(fired), End(), [&](std::string_view row, std::string_view) {
    row.remove_prefix(prefix_.size());
    int64_t time = 0;
    if (!GetOrderedI64(&row, &time)) return true;
    if (!point->Covers(time, row)) return false;
    if (++count < limit) return true;
    *point = {time, false, std::string(row)};
    return false;
  });
}

}  // namespace rivulet
