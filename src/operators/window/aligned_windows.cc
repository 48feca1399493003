#include "operators/window/aligned_windows.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/coding.h"
#include "base/types.h"

namespace rivulet {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

int64_t AlignDown(int64_t t, int64_t step, int64_t offset) { return t - FloorMod(t - offset, step); }

}  // namespace

AlignedWindows::AlignedWindows(const WindowSpec& spec, const AggregatePlan* plan,
                               const PaneLayouts* layouts, std::string prefix,
                               const StateView* view, KeyShare share, const FirePoint& fired)
    : WindowOperator(spec, plan, fired),
      slice_us_(std::gcd(spec.size_us, spec.slide_us)),
      revision_prefix_(prefix + "r"),
      view_(view),
      store_(plan, layouts, prefix + "s", view, share),
      tree_(plan, &store_, slice_us_, FloorMod(spec.offset_us, slice_us_),
            spec.per_key.on ? MergeTree::Fill::kByKey : MergeTree::Fill::kWhole),
      forgotten_(kMin),
      scratch_block_(plan->block_bytes() / 8 + 1) {}

int64_t AlignedWindows::FirstWindow(int64_t slice_end) const {
  const int64_t down = AlignDown(slice_end, spec_.slide_us, spec_.offset_us + spec_.size_us);
  return down == slice_end ? down : down + spec_.slide_us;
}

int64_t AlignedWindows::LastWindow(int64_t slice_start) const {
  if (spec_.kind == WindowSpec::Kind::kCumulate) {
    return AlignDown(slice_start, spec_.size_us, spec_.offset_us) + spec_.size_us;
  }
  return AlignDown(slice_start, spec_.slide_us, spec_.offset_us) + spec_.size_us;
}

int64_t AlignedWindows::WindowStart(int64_t end) const {
  if (spec_.kind == WindowSpec::Kind::kCumulate) {
    return AlignDown(end - 1, spec_.size_us, spec_.offset_us);
  }
  return end - spec_.size_us;
}

AlignedWindows::Place AlignedWindows::Locate(int64_t t) const {
  Place p;
  p.start = AlignDown(t, slice_us_, spec_.offset_us);
  p.end = p.start + slice_us_;
  p.first_window = FirstWindow(p.end);
  p.last_window = LastWindow(p.start);
  return p;
}

Status AlignedWindows::Open() {
  if (sliding()) {
    RIVULET_RETURN_IF_ERROR(view_->Scan(revision_prefix_, AfterPrefix(revision_prefix_),
                                        [this](std::string_view, std::string_view) {
                                          stored_revisions_ = true;
                                          return false;
                                        }));
  }
  return store_.Open();
}

void AlignedWindows::Process(const KeyedRecords& input, ResultSink* sink) {
  const int64_t* times = input.batch->event_time.data();
  for (uint32_t k = 0; k < input.count; ++k) {
    const uint32_t row = input.rows[k];
    const int64_t t = times[row];
    if (place_.slice == nullptr || t < place_.start || t >= place_.end) place_ = Locate(t);
    if (place_.first_window > input.watermark[row] && place_.first_window > fired_) {
      AddOnTime(input, row);
    } else {
      accumulator_.Flush(input);
      AddLate(input, row, sink);
    }
  }
  accumulator_.Flush(input);
  store_.AddedRecords(input.count);
}

void AlignedWindows::AddOnTime(const KeyedRecords& input, uint32_t row) {
  if (place_.slice == nullptr) place_.slice = store_.Touch(place_.end);
  bool created = false;
  Pane* pane = store_.EditPane(place_.end, place_.slice, input.keys->Key(row),
                               input.keys->hashes[row], &created);
  accumulator_.Add(row, pane->block());
}

// Some of the record's windows have closed. They must be emitted before the record joins them.
void AlignedWindows::AddLate(const KeyedRecords& input, uint32_t row, ResultSink* sink) {
  const int64_t watermark = std::max(input.watermark[row], fired_);
  const ResultOrder order{watermark, 1, input.position + row};
  Advance(FirePoint{watermark, true, ""}, sink);
  place_ = Locate(input.batch->event_time[row]);
  JoinOrRefuse(input, row, order, watermark, sink);
}

void AlignedWindows::JoinOrRefuse(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                                  int64_t watermark, ResultSink* sink) {
  if (SaturatingAdd(place_.last_window, spec_.lateness_us) <= watermark) {
    sink->OnLate(order, row);
  } else if (sliding()) {
    ReviseSliding(input, row, order, watermark, sink);
  } else {
    ReviseTumbling(input, row, order, sink);
  }
}

void AlignedWindows::ReviseTumbling(const KeyedRecords& input, uint32_t row,
                                    const ResultOrder& order, ResultSink* sink) {
  place_.slice = store_.Touch(place_.end);
  const std::string_view key = input.keys->Key(row);
  bool created = false;
  Pane* pane = store_.EditPane(place_.end, place_.slice, key, input.keys->hashes[row], &created);
  if (!created) ++pane->revision;
  accumulator_.Add(row, pane->block());
  accumulator_.Flush(input);
  sink->OnResult(order, key, pane->hash, place_.start, place_.end, pane->revision, pane->block());
}

void AlignedWindows::ReviseSliding(const KeyedRecords& input, uint32_t row,
                                   const ResultOrder& order, int64_t watermark,
                                   ResultSink* sink) {
  const std::string key(input.keys->Key(row));
  const uint64_t hash = input.keys->hashes[row];
  char* block = reinterpret_cast<char*>(scratch_block_.data());
  // The windows that have closed but still take late records, and whether each was emitted before.
  std::vector<std::pair<int64_t, int64_t>> revised;  // end, next revision
  for (int64_t end = place_.first_window; end <= place_.last_window; end += spec_.slide_us) {
    if (end > watermark) break;
    if (SaturatingAdd(end, spec_.lateness_us) <= watermark) continue;
    int64_t revision = LastRevision({end, key});
    if (revision < 0) {
      const bool existed =
          tree_.MergeKey(tree_.SliceNumber(WindowStart(end) + slice_us_),
                         tree_.SliceNumber(end), key, hash, block);
      plan_->Destroy(block);
      revision = existed ? 0 : -1;
    }
    revised.emplace_back(end, revision + 1);
  }
  place_.slice = store_.Touch(place_.end);
  bool created = false;
  Pane* pane = store_.EditPane(place_.end, place_.slice, key, hash, &created);
  accumulator_.Add(row, pane->block());
  accumulator_.Flush(input);
  tree_.Refresh(tree_.SliceNumber(place_.end), key, hash);
  for (const auto& [end, revision] : revised) {
    tree_.MergeKey(tree_.SliceNumber(WindowStart(end) + slice_us_), tree_.SliceNumber(end), key,
                   hash, block);
    sink->OnResult(order, key, hash, WindowStart(end), end, static_cast<uint32_t>(revision),
                   block);
    plan_->Destroy(block);
    revisions_[{end, key}] = static_cast<uint32_t>(revision);
    dirty_revisions_.insert({end, key});
  }
}

void AlignedWindows::Advance(const FirePoint& point, ResultSink* sink) {
  if (point.time <= fired_) return;
  if (sliding()) {
    CloseSliding(point.time, sink);
  } else {
    CloseTumbling(point, sink);
  }
  Reach(point);
  Purge(fired_);
}

void AlignedWindows::CloseTumbling(const FirePoint& point, ResultSink* sink) {
  const auto& slices = store_.slices();
  for (auto it = slices.upper_bound(fired_); it != slices.end() && it->first <= point.time; ++it) {
    const int64_t end = it->first;
    store_.VisitSorted(end, it->second.get(), FiredKey(end),
                       [&](std::string_view key, uint64_t hash, const Pane& pane) {
                         if (!point.Covers(end, key)) return false;
                         sink->OnResult({end, 0, 0}, key, hash, end - spec_.size_us, end, 0,
                                        pane.block());
                         return true;
                       });
  }
}

// The first window after `after` that some slice belongs to: stretches of time without data cost nothing.
bool AlignedWindows::NextWindow(int64_t after, int64_t* end) const {
  const auto& slices = store_.slices();
  const int64_t reach = after <= kMin + spec_.size_us ? kMin : after - spec_.size_us;
  for (auto it = slices.upper_bound(reach); it != slices.end(); ++it) {
    *end = FirstWindow(it->first);
    if (*end > after) return true;
    // This slice began before: its next window after `after`, if it has one.
    *end = FirstWindow(after + 1);
    if (*end <= LastWindow(it->first - slice_us_)) return true;
  }
  return false;
}

void AlignedWindows::CloseSliding(int64_t watermark, ResultSink* sink) {
  int64_t end = 0;
  for (int64_t after = fired_; NextWindow(after, &end) && end <= watermark; after = end) {
    last_results_ = 0;
    tree_.VisitWindow(tree_.SliceNumber(WindowStart(end) + slice_us_), tree_.SliceNumber(end),
                      [&](std::string_view key, uint64_t hash, const char* block) {
                        ++last_results_;
                        sink->OnResult({end, 0, 0}, key, hash, WindowStart(end), end, 0, block);
                      });
  }
}

FirePoint AlignedWindows::NextPoint(int64_t watermark, size_t limit) {
  return sliding() ? NextPointInWindows(watermark, limit) : NextPointInSlices(watermark, limit);
}

FirePoint AlignedWindows::NextPointInSlices(int64_t watermark, size_t limit) {
  const auto& slices = store_.slices();
  size_t count = 0;
  for (auto it = slices.upper_bound(fired_); it != slices.end() && it->first <= watermark; ++it) {
    const int64_t end = it->first;
    Slice* slice = it->second.get();
    if (!slice->cold && count + slice->table.size() <= limit) {
      count += slice->table.size();
      continue;
    }
    if (count > 0) return {end - 1, true, ""};
    // A large slice, or one of which memory does not tell the size: up to its limit-th key from here.
    FirePoint point{end, true, ""};
    store_.VisitSorted(end, slice, FiredKey(end),
                       [&](std::string_view key, uint64_t, const Pane&) {
                         if (++count < limit) return true;
                         point = {end, false, std::string(key)};
                         return false;
                       });
    return point;
  }
  return {watermark, true, ""};
}

FirePoint AlignedWindows::NextPointInWindows(int64_t watermark, size_t limit) {
  const size_t keys = std::max({size_t{1}, store_.WidestSlice(limit / 4), last_results_});
  int64_t after = fired_, end = 0;
  for (size_t windows = std::max<size_t>(1, limit / keys); windows > 0; --windows) {
    if (!NextWindow(after, &end) || end > watermark) return {watermark, true, ""};
    after = end;
  }
  return {after, true, ""};
}

void AlignedWindows::Purge(int64_t watermark) {
  const auto& slices = store_.slices();
  while (!slices.empty()) {
    const int64_t end = slices.begin()->first;
    if (SaturatingAdd(LastWindow(end - slice_us_), spec_.lateness_us) > watermark) break;
    store_.Drop(end);
    place_.slice = nullptr;
  }
  if (!sliding()) return;
  const int64_t horizon = SaturatingSub(watermark, spec_.lateness_us);
  while (!revisions_.empty() && revisions_.begin()->first.first <= horizon) {
    dirty_revisions_.erase(revisions_.begin()->first);
    revisions_.erase(revisions_.begin());
  }
  // Pruning walks all nodes: once in a sixteenth of a window is often enough.
  const int64_t reach = SaturatingSub(horizon, spec_.size_us);
  if (SaturatingSub(reach, forgotten_) < spec_.size_us / 16) return;
  forgotten_ = reach;
  tree_.Forget(slices.empty() ? std::numeric_limits<int64_t>::max()
                              : tree_.SliceNumber(slices.begin()->first));
}

std::string AlignedWindows::RevisionRow(int64_t end, std::string_view key) const {
  std::string row = revision_prefix_;
  PutOrderedI64(&row, end);
  row.append(key);
  return row;
}

int64_t AlignedWindows::LastRevision(const RevisionId& id) {
  const auto it = revisions_.find(id);
  if (it != revisions_.end()) return it->second;
  std::string value;
  const Result<bool> found = view_->Get(RevisionRow(id.first, id.second), &value);
  std::string_view in = value;
  uint64_t revision = 0;
  if (!found.ok() || !*found || !GetVarint(&in, &revision)) return -1;
  return static_cast<int64_t>(revision);
}

void AlignedWindows::CollectChanges(StateChanges* changes) {
  store_.CollectChanges(changes);
  if (!sliding()) return;
  for (const RevisionId& id : dirty_revisions_) {
    std::string value;
    PutVarint(&value, revisions_[id]);
    changes->Put(RevisionRow(id.first, id.second), value);
    stored_revisions_ = true;
  }
  dirty_revisions_.clear();
  // Rows of windows that take no more records; rows of an earlier process are among them.
  const int64_t horizon = SaturatingSub(fired_, spec_.lateness_us);
  if (!stored_revisions_ || horizon <= purged_) return;
  purged_ = horizon;
  changes->DeleteRange(revision_prefix_, AfterPrefix(RevisionRow(horizon, "")));
}

size_t AlignedWindows::MemoryBytes() const {
  return store_.MemoryBytes() + tree_.MemoryBytes() + revisions_.size() * 128;
}

void AlignedWindows::Evict(size_t target) {
  tree_.Shrink(target > store_.MemoryBytes() ? target - store_.MemoryBytes() : target / 2);
  const size_t held = tree_.MemoryBytes();
  store_.Evict(target > held ? target - held : 0);
  place_.slice = nullptr;
}

}  // namespace rivulet
