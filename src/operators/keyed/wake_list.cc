#include "operators/keyed/wake_list.h"

#include <algorithm>

namespace rivulet {

const WakeList::Entry& WakeList::Probe(int64_t time, std::string_view key) const {
  probe_.first = time;
  probe_.second.assign(key);
  return probe_;
}

WakeList::List::node_type WakeList::Take(int64_t time, std::string_view key) {
  List::node_type node = list_.extract(Probe(time, key));
  if (!node.empty() && node.mapped()) gone_.push_back(node.key());
  return node;
}

void WakeList::Insert(List::node_type node, int64_t time, bool stored) {
  node.key().first = time;
  node.mapped() = stored;
  list_.insert(std::move(node));
}

void WakeList::Add(int64_t time, std::string_view key, bool stored) {
  if (spares_.empty()) {
    list_.emplace(Probe(time, key), stored);
    return;
  }
  List::node_type node = std::move(spares_.back());
  spares_.pop_back();
  node.key().second.assign(key);
  Insert(std::move(node), time, stored);
}

void WakeList::Remove(int64_t time, std::string_view key) {
  List::node_type node = Take(time, key);
  if (!node.empty() && spares_.size() < kSpares) spares_.push_back(std::move(node));
}

void WakeList::Move(int64_t from, int64_t to, std::string_view key) {
  List::node_type node = Take(from, key);
  if (!node.empty()) Insert(std::move(node), to, false);
}

void WakeList::Leave(int64_t time, std::string_view key) {
  list_.erase(Probe(time, key));
  rows_.Lower(time);
}

int64_t WakeList::next(bool cold) const {
  const int64_t first = list_.empty() ? kNoTimer : list_.begin()->first.first;
  return cold ? std::min(first, rows_.next()) : first;
}

Status WakeList::Limit(bool cold, size_t limit, FirePoint* point) const {
  size_t count = 0;
  for (auto it = list_.begin(); it != list_.end() && it->first.first <= point->time; ++it) {
    if (++count < limit) continue;
    *point = {it->first.first, false, it->first.second};
    break;
  }
  return cold ? rows_.Limit(fired_, limit, point) : Status::Ok();
}

bool WakeList::First(const FirePoint& point, std::string* key) {
  if (!list_.empty() && point.Covers(list_.begin()->first.first, list_.begin()->first.second)) {
    *key = list_.begin()->first.second;
    return true;
  }
  fired_ = std::max(fired_, point);
  return false;
}

void WakeList::CollectGone(StateChanges* changes) {
  for (const auto& [time, key] : gone_) changes->Delete(rows_.Row(time, key));
  gone_.clear();
}

void WakeList::CollectNew(int64_t time, std::string_view key, StateChanges* changes) {
  const auto it = list_.find(Probe(time, key));
  if (it == list_.end() || it->second) return;
  it->second = true;
  changes->Put(rows_.Row(time, key), "");
}

}  // namespace rivulet
