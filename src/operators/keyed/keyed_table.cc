#include "operators/keyed/keyed_table.h"

#include <algorithm>
#include <limits>

#include "base/coding.h"
#include "base/hash.h"
#include "base/types.h"

namespace rivulet {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
// Timers further away ring only at the end of the input.
constexpr int64_t kFarthest = int64_t{1} << 62;
// Timer rows looked at in one commit: what is over need not go at once.
constexpr size_t kSweepRows = 8192;
constexpr char kValueRow = 'v', kTimerRow = 't', kWakeRow = 'w';

}  // namespace

KeyedTable::KeyedTable(KeyedTableOptions options, const StateView* view, KeyShare share)
    : options_(std::move(options)),
      view_(view),
      share_(share),
      now_(std::numeric_limits<int64_t>::min()),
      next_cold_timer_(kNever),
      wakes_(options_.prefix + kWakeRow, view) {}

bool KeyedTable::Over(int64_t touched, int64_t watermark) const {
  return watermark >= SaturatingAdd(touched, options_.keep_us);
}

// Timers are rounded up, so that entries used at about the same time share one.
int64_t KeyedTable::TimerFor(int64_t touched) const {
  const int64_t over = SaturatingAdd(touched, options_.keep_us);
  if (over > kFarthest) return kNever;
  const int64_t step = std::max<int64_t>(1, options_.keep_us / 8);
  const int64_t rest = FloorMod(over, step);
  return rest == 0 ? over : over + (step - rest);
}

bool KeyedTable::Owns(std::string_view key) const {
  uint64_t owner = 0;
  if (!options_.starts_with_owner) return share_.Owns(Hash64(key));
  return GetFixed(&key, &owner) && share_.Owns(owner);
}

// Valid until the next call.
const std::string& KeyedTable::Row(char kind, std::string_view key, int64_t time) {
  row_key_.assign(options_.prefix);
  row_key_.push_back(kind);
  if (kind == kTimerRow) PutOrderedI64(&row_key_, time);
  row_key_.append(key);
  return row_key_;
}

Status KeyedTable::Open() {
  const std::string from = options_.prefix + kTimerRow;
  RIVULET_RETURN_IF_ERROR(
      view_->Scan(from, AfterPrefix(from), [&](std::string_view row, std::string_view) {
        row.remove_prefix(from.size());
        cold_ = GetOrderedI64(&row, &next_cold_timer_);
        return false;
      }));
  return options_.wake_of == nullptr ? Status::Ok() : wakes_.Open();
}

KeyedEntry* KeyedTable::Lookup(std::string_view key, uint64_t hash) const {
  if (slots_.empty()) return nullptr;
  for (size_t i = hash & mask_; slots_[i] != 0; i = (i + 1) & mask_) {
    KeyedEntry* entry = entries_.At(slots_[i] - 1);
    if (entry->hash == hash && entry->key() == key) return entry;
  }
  return nullptr;
}

void KeyedTable::Rehash(size_t slots) {
  std::vector<uint32_t> old(slots, 0);
  old.swap(slots_);
  mask_ = slots - 1;
  for (const uint32_t slot : old) {
    if (slot == 0) continue;
    size_t i = entries_.At(slot - 1)->hash & mask_;
    while (slots_[i] != 0) i = (i + 1) & mask_;
    slots_[i] = slot;
  }
}

KeyedEntry* KeyedTable::Insert(std::string_view key, uint64_t hash) {
  if ((count_ + 1) * 4 > slots_.size() * 3) Rehash(slots_.empty() ? 16 : slots_.size() * 2);
  KeyedEntry* entry = entries_.At(entries_.Add());
  entries_.SetKey(entry, key);
  entry->hash = hash;
  entry->touched = std::numeric_limits<int64_t>::min();
  size_t i = hash & mask_;
  while (slots_[i] != 0) i = (i + 1) & mask_;
  slots_[i] = entry->id + 1;
  ++count_;
  return entry;
}

bool KeyedTable::ReadRow(std::string_view key, Stored* stored) {
  const Result<bool> found = view_->Get(Row(kValueRow, key), &row_value_);
  if (!found.ok()) Fail(found.status());
  if (!found.ok() || !*found) return false;
  stored->value = row_value_;
  if (GetFixed(&stored->value, &stored->touched) && GetFixed(&stored->value, &stored->timer)) {
    return true;
  }
  FailCorrupt("what is stored of a key is too short");
  return false;
}

KeyedEntry* KeyedTable::Bring(std::string_view key, uint64_t hash) {
  Stored stored;
  if (!ReadRow(key, &stored)) return nullptr;
  // Its deletion may have been decided on already; a row that is not, is left over and will be swept.
  if (Over(stored.touched, now_)) return nullptr;
  KeyedEntry* entry = Insert(key, hash);
  entry->touched = stored.touched;
  entry->stored_timer = stored.timer;
  entry->flags |= KeyedEntry::kStored;
  entries_.SetValue(entry, stored.value);
  SetTimer(entry, stored.timer);
  const int64_t wake = WakeOf(entry->value());
  if (wake != kNoTimer) wakes_.Add(wake, key, true);
  return entry;
}

KeyedEntry* KeyedTable::Find(std::string_view key, uint64_t hash) {
  KeyedEntry* entry = Lookup(key, hash);
  if (entry == nullptr && cold_) entry = Bring(key, hash);
  if (entry == nullptr) entry = Insert(key, hash);
  entry->flags |= KeyedEntry::kRecent;
  return entry;
}

void KeyedTable::ForgetIfOver(KeyedEntry* entry, int64_t time, int64_t watermark) {
  if (!Over(entry->touched, std::max(time, watermark))) return;
  entry->touched = std::numeric_limits<int64_t>::min();
  SetValue(entry, {});
}

void KeyedTable::SetValue(KeyedEntry* entry, std::string_view value) {
  const int64_t before = WakeOf(entry->value()), wake = WakeOf(value);
  entries_.SetValue(entry, value);
  if (before == wake) return;
  if (before == kNoTimer) {
    wakes_.Add(wake, entry->key(), false);
  } else if (wake == kNoTimer) {
    wakes_.Remove(before, entry->key());
  } else {
    wakes_.Move(before, wake, entry->key());
  }
}

int64_t KeyedTable::OverAt(const KeyedEntry& entry, int64_t time, int64_t watermark) const {
  return SaturatingAdd(std::max({entry.touched, time, watermark}), options_.keep_us);
}

void KeyedTable::Replace(KeyedEntry* entry, std::string_view value) {
  SetValue(entry, value);
  MarkDirty(entry);
}

KeyedEntry* KeyedTable::NextWake(const FirePoint& point) {
  if (cold_) {
    std::vector<std::string> due;
    const Status status =
        wakes_.TakeStored(point, [this](std::string_view key) { return Owns(key); }, &due);
    if (!status.ok()) Fail(status);
    for (const std::string& key : due) {
      if (Lookup(key, Hash64(key)) == nullptr) Bring(key, Hash64(key));
    }
  }
  return wakes_.First(point, &row_key_) ? Lookup(row_key_, Hash64(row_key_)) : nullptr;
}

FirePoint KeyedTable::LimitWakes(int64_t watermark, size_t limit) {
  FirePoint point{watermark, true, ""};
  const Status status = wakes_.Limit(cold_, limit, &point);
  if (!status.ok()) Fail(status);
  return point;
}

void KeyedTable::Put(KeyedEntry* entry, std::string_view value, int64_t time, int64_t watermark) {
  SetValue(entry, value);
  entry->touched = std::max({entry->touched, time, watermark});
  if ((entry->flags & KeyedEntry::kTimed) == 0) SetTimer(entry, TimerFor(entry->touched));
  MarkDirty(entry);
}

void KeyedTable::MarkDirty(KeyedEntry* entry) {
  if ((entry->flags & KeyedEntry::kDirty) == 0) {
    entry->dirty_index = static_cast<uint32_t>(dirty_.size());
    dirty_.push_back(entry->id);
  }
  entry->flags |= KeyedEntry::kDirty | KeyedEntry::kRecent;
}

void KeyedTable::SetTimer(KeyedEntry* entry, int64_t time) {
  entry->timer = time;
  entry->flags |= KeyedEntry::kTimed;
  const auto [it, added] = timers_.try_emplace(time);
  if (added && !spare_lists_.empty()) {
    it->second.swap(spare_lists_.back());
    spare_lists_.pop_back();
  }
  it->second.push_back(entry->id);
}

void KeyedTable::Erase(KeyedEntry* entry) {
  if ((entry->flags & KeyedEntry::kDirty) != 0) dirty_[entry->dirty_index] = kNone;
  if (const int64_t wake = WakeOf(entry->value()); wake != kNoTimer) wakes_.Remove(wake, entry->key());
  if ((entry->flags & KeyedEntry::kStored) != 0) {
    PutBytes(&deletions_, entry->key());
    PutFixed(&deletions_, entry->stored_timer);
    ++deletion_count_;
  }
  size_t i = entry->hash & mask_;
  while (slots_[i] != entry->id + 1) i = (i + 1) & mask_;
  // Closes the gap, so that no search ends at it early.
  for (size_t next = (i + 1) & mask_; slots_[next] != 0; next = (next + 1) & mask_) {
    const size_t home = entries_.At(slots_[next] - 1)->hash & mask_;
    if (((next - home) & mask_) < ((next - i) & mask_)) continue;
    slots_[i] = slots_[next];
    i = next;
  }
  slots_[i] = 0;
  --count_;
  entries_.Remove(entry->id);
}

void KeyedTable::Ring(const std::vector<uint32_t>& due, int64_t watermark) {
  for (const uint32_t id : due) {
    KeyedEntry* entry = entries_.At(id);
    if (Over(entry->touched, watermark)) {
      Erase(entry);
      continue;
    }
    SetTimer(entry, TimerFor(entry->touched));
    if ((entry->flags & KeyedEntry::kStored) != 0) MarkDirty(entry);
  }
}

void KeyedTable::Advance(int64_t watermark) {
  now_ = std::max(now_, watermark);
  while (!timers_.empty() && timers_.begin()->first <= now_) {
    std::vector<uint32_t> due = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    Ring(due, now_);
    due.clear();
    if (spare_lists_.size() < 16) spare_lists_.push_back(std::move(due));
  }
}

void KeyedTable::CollectChanges(StateChanges* changes) {
  std::string_view deletions = deletions_;
  std::string_view key;
  int64_t timer = 0;
  while (GetBytes(&deletions, &key) && GetFixed(&deletions, &timer)) {
    changes->Delete(Row(kValueRow, key));
    changes->Delete(Row(kTimerRow, key, timer));
  }
  deletions_.clear();
  deletion_count_ = 0;
  wakes_.CollectGone(changes);
  CollectDirty(changes);
  CollectSweep(changes);
}

void KeyedTable::CollectDirty(StateChanges* changes) {
  std::erase(dirty_, kNone);
  // In key order, so that neighbours in the store are written together.
  std::sort(dirty_.begin(), dirty_.end(), [this](uint32_t a, uint32_t b) {
    return entries_.At(a)->key() < entries_.At(b)->key();
  });
  for (const uint32_t id : dirty_) {
    KeyedEntry* entry = entries_.At(id);
    entry->flags &= static_cast<uint8_t>(~KeyedEntry::kDirty);
    const bool stored = (entry->flags & KeyedEntry::kStored) != 0;
    if (stored && entry->stored_timer != entry->timer) {
      changes->Delete(Row(kTimerRow, entry->key(), entry->stored_timer));
    }
    if (!stored || entry->stored_timer != entry->timer) {
      changes->Put(Row(kTimerRow, entry->key(), entry->timer), "");
    }
    entry->stored_timer = entry->timer;
    entry->flags |= KeyedEntry::kStored;
    row_value_.clear();
    PutFixed(&row_value_, entry->touched);
    PutFixed(&row_value_, entry->timer);
    row_value_.append(entry->value());
    changes->Put(Row(kValueRow, entry->key()), row_value_);
    const int64_t wake = WakeOf(entry->value());
    if (wake != kNoTimer) wakes_.CollectNew(wake, entry->key(), changes);
  }
  dirty_.clear();
}

// Deletes what is over and in the store only. Every instance looks at the same rows and takes its own.
void KeyedTable::CollectSweep(StateChanges* changes) {
  if (!cold_ || next_cold_timer_ > now_) return;
  const std::string prefix = options_.prefix + kTimerRow;
  std::vector<std::pair<int64_t, std::string>> due;
  size_t left = kSweepRows;
  next_cold_timer_ = kNever;
  const Status status =
      view_->Scan(prefix, AfterPrefix(prefix), [&](std::string_view row, std::string_view) {
        row.remove_prefix(prefix.size());
        int64_t time = 0;
        if (!GetOrderedI64(&row, &time)) {
          FailCorrupt("a stored timer is too short");
          return false;
        }
        if (time > now_ || left == 0) {
          next_cold_timer_ = time;
          return false;
        }
        --left;
        if (Owns(row)) due.emplace_back(time, row);
        return true;
      });
  if (!status.ok()) Fail(status);
  for (const auto& [time, key] : due) SweepKey(time, key, changes);
}

void KeyedTable::SweepKey(int64_t time, std::string_view key, StateChanges* changes) {
  // In memory the key looks after itself; the row is its own, or left over.
  if (const KeyedEntry* entry = Lookup(key, Hash64(key)); entry != nullptr) {
    if (entry->stored_timer != time) changes->Delete(Row(kTimerRow, key, time));
    return;
  }
  Stored stored;
  const bool found = ReadRow(key, &stored);
  changes->Delete(Row(kTimerRow, key, time));
  if (!found || stored.timer != time) return;
  if (Over(stored.touched, now_)) {
    changes->Delete(Row(kValueRow, key));
    return;
  }
  const int64_t timer = TimerFor(stored.touched);
  std::string value;
  PutFixed(&value, stored.touched);
  PutFixed(&value, timer);
  value.append(stored.value);
  changes->Put(Row(kTimerRow, key, timer), "");
  changes->Put(Row(kValueRow, key), value);
  next_cold_timer_ = std::min(next_cold_timer_, timer);
}

size_t KeyedTable::MemoryBytes() const {
  return entries_.MemoryBytes() + slots_.capacity() * sizeof(uint32_t) +
         count_ * sizeof(uint32_t) * 2 + deletions_.size() + wakes_.MemoryBytes();
}

// Keeps what the store does not have yet and, with `spare_recent`, what was used lately; what stays moves
// together, so that memory is given back.
void KeyedTable::Retain(bool spare_recent) {
  EntryPool old = std::move(entries_);
  std::vector<uint32_t> slots = std::move(slots_);
  entries_ = EntryPool();
  slots_.clear();
  timers_.clear();
  wakes_.DropSpares();
  dirty_.clear();
  count_ = 0;
  for (const uint32_t slot : slots) {
    if (slot == 0) continue;
    const KeyedEntry& from = *old.At(slot - 1);
    const bool dirty = (from.flags & KeyedEntry::kDirty) != 0;
    if (!dirty && !(spare_recent && (from.flags & KeyedEntry::kRecent) != 0)) {
      cold_ = true;
      next_cold_timer_ = std::min(next_cold_timer_, from.stored_timer);
      if (const int64_t wake = WakeOf(from.value()); wake != kNoTimer) wakes_.Leave(wake, from.key());
      continue;
    }
    KeyedEntry* entry = Insert(from.key(), from.hash);
    entry->touched = from.touched;
    entry->stored_timer = from.stored_timer;
    entry->flags = from.flags & KeyedEntry::kStored;
    entries_.SetValue(entry, from.value());
    SetTimer(entry, from.timer);
    if (dirty) MarkDirty(entry);
    entry->flags &= static_cast<uint8_t>(~KeyedEntry::kRecent);
  }
}

void KeyedTable::Evict(size_t target) {
  const size_t held = MemoryBytes();
  if (held <= target || count_ == 0) return;
  // Second chance: what was used since the last time stays, if that is enough.
  size_t recent = 0;
  for (const uint32_t slot : slots_) {
    if (slot != 0 && (entries_.At(slot - 1)->flags & KeyedEntry::kRecent) != 0) ++recent;
  }
  Retain(held / count_ * recent <= target);
}

}  // namespace rivulet
