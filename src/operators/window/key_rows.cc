#include "operators/window/key_rows.h"

#include <algorithm>

#include "base/coding.h"
#include "base/hash.h"

namespace rivulet {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kSpareBlocks = 4096;
constexpr uint8_t kFresh = 1, kClosed = 2;
constexpr int64_t kFarthest = int64_t{1} << 62;

// Behind all rows that start with `prefix`, whose last byte is a letter.
std::string Behind(std::string prefix) {
  ++prefix.back();
  return prefix;
}

std::string TimerRow(const std::string& prefix, int64_t time, std::string_view key) {
  std::string row = prefix;
  PutOrderedI64(&row, time);
  row.append(key);
  return row;
}

}  // namespace

KeyRows::KeyRows(const AggregatePlan* plan, const PaneLayouts* layouts, const std::string& prefix,
                 const StateView* view, KeyShare share)
    : plan_(plan),
      layouts_(layouts),
      key_prefix_(prefix + "k"),
      timer_prefix_(prefix + "t"),
      view_(view),
      share_(share) {}

KeyRows::~KeyRows() {
  // Freed in any order.
  for (auto& [hash, windows] : keys_) {
    for (WindowPart& p : windows->parts) plan_->Destroy(p.bytes());
  }
}

void KeyRows::Fail(const Status& status) {
  if (status_.ok()) status_ = status;
}

Status KeyRows::Open() {
  RIVULET_RETURN_IF_ERROR(view_->Scan(key_prefix_, Behind(key_prefix_),
                                      [this](std::string_view, std::string_view) {
                                        cold_ = true;
                                        return false;
                                      }));
  return view_->Scan(timer_prefix_, Behind(timer_prefix_),
                     [this](std::string_view row, std::string_view) {
                       row.remove_prefix(timer_prefix_.size());
                       GetOrderedI64(&row, &next_cold_timer_);
                       return false;
                     });
}

// --- keys and their parts ---

KeyWindows* KeyRows::Find(std::string_view key, uint64_t hash, bool create) {
  const auto [begin, end] = keys_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second->key == key) return it->second.get();
  }
  auto windows = std::make_unique<KeyWindows>();
  windows->key = key;
  windows->hash = hash;
  const bool loaded = cold_ && Load(windows.get());
  if (!loaded && !create) return nullptr;
  KeyWindows* raw = windows.get();
  keys_.emplace(hash, std::move(windows));
  parts_in_memory_ += raw->parts.size();
  key_bytes_ += raw->key.size();
  if (loaded) CountHeap(raw);
  if (loaded && raw->stored_timer != kNoTimer) {
    raw->timer = raw->stored_timer;
    timers_.emplace(std::pair(raw->timer, std::string_view(raw->key)), raw);
  }
  return raw;
}

std::unique_ptr<int64_t[]> KeyRows::TakeBlock() {
  if (spare_.empty()) return std::make_unique<int64_t[]>(plan_->block_bytes() / 8 + 1);
  std::unique_ptr<int64_t[]> block = std::move(spare_.back());
  spare_.pop_back();
  return block;
}

void KeyRows::FreePart(WindowPart* part) {
  plan_->Destroy(part->bytes());
  if (spare_.size() < kSpareBlocks) spare_.push_back(std::move(part->block));
  --parts_in_memory_;
}

WindowPart* KeyRows::Insert(KeyWindows* windows, size_t place, int64_t start, int64_t end) {
  WindowPart part;
  part.start = start;
  part.end = end;
  part.block = TakeBlock();
  plan_->Init(part.bytes());
  ++parts_in_memory_;
  const auto at = windows->parts.begin() + static_cast<std::ptrdiff_t>(place);
  return &*windows->parts.insert(at, std::move(part));
}

void KeyRows::Remove(KeyWindows* windows, size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i) FreePart(&windows->parts[i]);
  const auto from = windows->parts.begin() + static_cast<std::ptrdiff_t>(first);
  windows->parts.erase(from, from + static_cast<std::ptrdiff_t>(count));
}

void KeyRows::Clear(WindowPart* part) const {
  plan_->Destroy(part->bytes());
  plan_->Init(part->bytes());
}

void KeyRows::CountHeap(KeyWindows* windows) {
  if (!plan_->has_heap()) return;
  heap_bytes_ -= windows->heap_bytes;
  windows->heap_bytes = 0;
  for (const WindowPart& p : windows->parts) windows->heap_bytes += plan_->HeapBytes(p.bytes());
  heap_bytes_ += windows->heap_bytes;
}

void KeyRows::MarkDirty(KeyWindows* windows) {
  windows->recent = true;
  if (windows->dirty_index >= 0) return;
  windows->dirty_index = static_cast<int64_t>(dirty_.size());
  dirty_.push_back(windows);
}

void KeyRows::Erase(KeyWindows* windows) {
  if (windows->timer != kNoTimer) timers_.erase({windows->timer, windows->key});
  windows->timer = kNoTimer;
  if (windows->stored || windows->going) {
    MarkDirty(windows);
  } else {
    Forget(windows);
  }
}

void KeyRows::Forget(KeyWindows* windows) {
  if (windows->dirty_index >= 0) dirty_[static_cast<size_t>(windows->dirty_index)] = nullptr;
  const auto [begin, end] = keys_.equal_range(windows->hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second.get() != windows) continue;
    key_bytes_ -= windows->key.size();
    heap_bytes_ -= windows->heap_bytes;
    keys_.erase(it);
    return;
  }
}

// --- timers ---

void KeyRows::SetTimer(KeyWindows* windows, int64_t deadline, int64_t fired) {
  // One that rings too early does no harm.
  if (windows->timer <= deadline && windows->timer != kNoTimer && windows->timer > fired) return;
  if (windows->timer == deadline) return;
  // A timer that moves takes its node along: no allocation for each result.
  auto node = windows->timer == kNoTimer ? decltype(timers_)::node_type()
                                         : timers_.extract({windows->timer, windows->key});
  windows->timer = deadline;
  // Or its row would have the key looked at again and again.
  if (windows->stored) MarkDirty(windows);
  if (deadline == kNoTimer) return;
  if (node.empty()) {
    timers_.emplace(std::pair(deadline, std::string_view(windows->key)), windows);
    return;
  }
  node.key().first = deadline;
  timers_.insert(std::move(node));
}

KeyWindows* KeyRows::NextDue(const FirePoint& point) {
  if (timers_.empty()) return nullptr;
  const auto& [timer, windows] = *timers_.begin();
  return point.Covers(timer.first, timer.second) ? windows : nullptr;
}

std::string KeyRows::TimersBehind(const FirePoint& fired) const {
  if (!fired.whole) return TimerRow(timer_prefix_, fired.time, fired.key) + '\0';
  return fired.time == kNoTimer ? Behind(timer_prefix_) : TimerRow(timer_prefix_, fired.time + 1, "");
}

void KeyRows::BringDue(const FirePoint& fired, const FirePoint& point) {
  if (!cold_ || next_cold_timer_ > point.time || next_cold_timer_ == kNoTimer) return;
  std::vector<std::string> due;
  next_cold_timer_ = kNoTimer;
  const Status status = view_->Scan(TimersBehind(fired), Behind(timer_prefix_),
                                    [&](std::string_view row, std::string_view) {
                                      row.remove_prefix(timer_prefix_.size());
                                      int64_t time = 0;
                                      if (!GetOrderedI64(&row, &time)) return true;
                                      if (!point.Covers(time, row)) {
                                        next_cold_timer_ = time;
                                        return false;
                                      }
                                      if (share_.Owns(Hash64(row))) due.emplace_back(row);
                                      return true;
                                    });
  if (!status.ok()) Fail(status);
  for (const std::string& key : due) Find(key, Hash64(key), false);
}

// Timers that are due already (of keys whose rows a commit has yet to delete, of keys that came back) are not
// counted: a point must lie behind `fired`, or closing would never end.
FirePoint KeyRows::LimitTimers(const FirePoint& fired, int64_t watermark, size_t limit) {
  FirePoint point{watermark, true, ""};
  if (fired.time > watermark || (fired.time == watermark && fired.whole)) return point;
  size_t count = 0;
  auto it = fired.whole ? timers_.lower_bound({fired.time + 1, std::string_view()})
                        : timers_.upper_bound({fired.time, std::string_view(fired.key)});
  for (; it != timers_.end() && it->first.first <= watermark; ++it) {
    if (++count < limit) continue;
    point = {it->first.first, false, std::string(it->first.second)};
    break;
  }
  if (!cold_ || next_cold_timer_ > point.time) return point;
  count = 0;
  const Status status = view_->Scan(TimersBehind(fired), Behind(timer_prefix_),
                                    [&](std::string_view row, std::string_view) {
                                      row.remove_prefix(timer_prefix_.size());
                                      int64_t time = 0;
                                      if (!GetOrderedI64(&row, &time)) return true;
                                      if (!point.Covers(time, row)) return false;
                                      if (++count < limit) return true;
                                      point = {time, false, std::string(row)};
                                      return false;
                                    });
  if (!status.ok()) Fail(status);
  return point;
}

// --- rows ---

bool KeyRows::Load(KeyWindows* windows) {
  row_.assign(key_prefix_);
  row_.append(windows->key);
  std::string value;
  const Result<bool> found = view_->Get(row_, &value);
  Status status = found.status();
  if (found.ok() && *found) status = Decode(value, windows);
  if (!status.ok()) {
    for (WindowPart& p : windows->parts) plan_->Destroy(p.bytes());
    windows->parts.clear();
    Fail(status);
  }
  return found.ok() && *found && status.ok();
}

void KeyRows::Encode(const KeyWindows& windows, std::string* out) const {
  out->push_back(static_cast<char>(kVersion));
  PutFixed(out, windows.stored_timer);
  PutVarint(out, windows.total);
  PutVarint(out, windows.parts.size());
  std::string pane;
  for (const WindowPart& p : windows.parts) {
    PutFixed(out, p.start);
    PutVarint(out, static_cast<uint64_t>(p.end - p.start));
    PutVarint(out, p.records);
    const bool due = p.due != kNoTimer;
    out->push_back(static_cast<char>((p.fresh ? kFresh : 0) | (p.closed ? kClosed : 0)));
    out->push_back(due ? 1 : 0);
    if (due) PutFixed(out, p.due);
    pane.clear();
    layouts_->Encode(p.revision, p.bytes(), &pane);
    PutBytes(out, pane);
  }
}

bool KeyRows::DecodePart(std::string_view* row, WindowPart* part, Status* status) const {
  uint64_t length = 0;
  uint8_t flags = 0, due = 0;
  std::string_view pane;
  if (!GetFixed(row, &part->start) || !GetVarint(row, &length) || !GetVarint(row, &part->records) ||
      !GetFixed(row, &flags) || !GetFixed(row, &due) || flags > (kFresh | kClosed) || due > 1 ||
      (due == 1 && !GetFixed(row, &part->due)) || !GetBytes(row, &pane)) {
    return false;
  }
  // No event time comes near the ends of int64 (the source refuses it), so no window does.
  if (part->start < -kFarthest || part->start > kFarthest || length > uint64_t{kFarthest} * 2) {
    return false;
  }
  part->end = part->start + static_cast<int64_t>(length);
  if (part->end > kFarthest) return false;
  part->fresh = (flags & kFresh) != 0;
  part->closed = (flags & kClosed) != 0;
  part->block = std::make_unique<int64_t[]>(plan_->block_bytes() / 8 + 1);
  *status = layouts_->Decode(pane, &part->revision, part->bytes());
  return status->ok();
}

Status KeyRows::Decode(std::string_view row, KeyWindows* windows) const {
  const Status corrupt(ErrorCode::kCorrupt, "the stored windows of a key cannot be read");
  uint8_t version = 0;
  uint64_t count = 0;
  if (!GetFixed(&row, &version) || version != kVersion || !GetFixed(&row, &windows->stored_timer) ||
      !GetVarint(&row, &windows->total) || !GetVarint(&row, &count)) {
    return corrupt;
  }
  for (uint64_t i = 0; i < count; ++i) {
    WindowPart part;
    Status status;
    if (!DecodePart(&row, &part, &status)) return status.ok() ? corrupt : status;
    windows->parts.push_back(std::move(part));
  }
  windows->stored = true;
  return row.empty() ? Status::Ok() : corrupt;
}

void KeyRows::CollectKey(KeyWindows* windows, StateChanges* changes) {
  windows->dirty_index = -1;
  CountHeap(windows);
  const bool gone = windows->parts.empty();
  const bool timer_moved = windows->stored_timer != windows->timer;
  if (windows->stored && windows->stored_timer != kNoTimer && (gone || timer_moved)) {
    changes->Delete(TimerRow(timer_prefix_, windows->stored_timer, windows->key));
  }
  if (gone) {
    if (windows->stored) changes->Delete(key_prefix_ + windows->key);
    windows->stored = false;
    if (!windows->going) gone_.push_back(windows);
    windows->going = true;
    return;
  }
  if (windows->timer != kNoTimer && (!windows->stored || timer_moved)) {
    changes->Put(TimerRow(timer_prefix_, windows->timer, windows->key), "");
  }
  windows->stored_timer = windows->timer;
  row_.clear();
  Encode(*windows, &row_);
  changes->Put(key_prefix_ + windows->key, row_);
  windows->stored = true;
}

void KeyRows::CollectChanges(StateChanges* changes) {
  std::erase(dirty_, nullptr);
  std::sort(dirty_.begin(), dirty_.end(),
            [](const KeyWindows* a, const KeyWindows* b) { return a->key < b->key; });
  for (KeyWindows* windows : dirty_) CollectKey(windows, changes);
  dirty_.clear();
}

void KeyRows::OnCommitted() {
  for (KeyWindows* windows : gone_) {
    windows->going = false;
    if (windows->parts.empty() && windows->dirty_index < 0) Forget(windows);
  }
  gone_.clear();
}

// --- memory ---

size_t KeyRows::MemoryBytes() const {
  const size_t per_key = sizeof(KeyWindows) + 160;
  const size_t per_part = sizeof(WindowPart) + plan_->block_bytes() + 24;
  return keys_.size() * per_key + key_bytes_ + heap_bytes_ + parts_in_memory_ * per_part +
         spare_.size() * (plan_->block_bytes() + 24);
}

void KeyRows::Evict(size_t target) {
  spare_.clear();
  for (const bool spare_recent : {true, false}) {
    // Which keys go is not visible in results, so in any order.
    for (auto it = keys_.begin(); it != keys_.end();) {
      KeyWindows* windows = it->second.get();
      const bool keep =
          windows->dirty_index >= 0 || !windows->stored || (spare_recent && windows->recent);
      windows->recent = false;
      if (keep || MemoryBytes() <= target) {
        ++it;
        continue;
      }
      if (windows->timer != kNoTimer) timers_.erase({windows->timer, windows->key});
      next_cold_timer_ = std::min(next_cold_timer_, windows->stored_timer);
      cold_ = true;
      for (WindowPart& p : windows->parts) plan_->Destroy(p.bytes());
      parts_in_memory_ -= windows->parts.size();
      key_bytes_ -= windows->key.size();
      heap_bytes_ -= windows->heap_bytes;
      it = keys_.erase(it);
    }
    if (MemoryBytes() <= target) return;
  }
}

}  // namespace rivulet
