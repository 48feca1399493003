#include "operators/state/timer_rows.h"

#include <algorithm>

#include "base/coding.h"

namespace rivulet {

Status TimerRows::Open() {
  return view_->Scan(prefix_, AfterPrefix(prefix_), [this](std::string_view row, std::string_view) {
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

std::string TimerRows::From(const FirePoint& fired) const {
  if (!fired.whole) return Row(fired.time, fired.key) + '\0';
  return fired.time == kNoTimer ? AfterPrefix(prefix_) : Row(fired.time + 1, "");
}

void TimerRows::Lower(int64_t time) { next_ = std::min(next_, time); }

Status TimerRows::TakeDue(const FirePoint& fired, const FirePoint& point,
                          const std::function<bool(std::string_view)>& wanted,
                          std::vector<std::string>* due) {
  if (next_ > point.time || next_ == kNoTimer) return Status::Ok();
  next_ = kNoTimer;
  return Visit(fired, [&](int64_t time, std::string_view key) {
    if (!point.Covers(time, key)) {
      next_ = time;
      return false;
    }
    if (wanted(key)) due->emplace_back(key);
    return true;
  });
}

Status TimerRows::Visit(const FirePoint& fired, const Visitor& visit) const {
  return view_->Scan(From(fired), AfterPrefix(prefix_), [&](std::string_view row, std::string_view) {
    row.remove_prefix(prefix_.size());
    int64_t time = 0;
    return !GetOrderedI64(&row, &time) || visit(time, row);
  });
}

Status TimerRows::Limit(const FirePoint& fired, size_t limit, FirePoint* point) const {
  if (next_ > point->time) return Status::Ok();
  size_t count = 0;
  return Visit(fired, [&](int64_t time, std::string_view key) {
    if (!point->Covers(time, key)) return false;
    if (++count < limit) return true;
    *point = {time, false, std::string(key)};
    return false;
  });
}

}  // namespace rivulet
