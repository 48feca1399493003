#include "operators/window/clocked_windows.h"

#include <algorithm>

#include "base/types.h"

namespace rivulet {

ClockedWindows::ClockedWindows(const WindowSpec& spec, const AggregatePlan* plan,
                               const PaneLayouts* layouts, const std::string& prefix,
                               const StateView* view, KeyShare share, const FirePoint& fired)
    : AlignedWindows(spec, plan, layouts, prefix, view, share, fired),
      clocks_(prefix + "c", view, share, spec.slide_us) {}

Status ClockedWindows::Open() {
  RIVULET_RETURN_IF_ERROR(AlignedWindows::Open());
  return clocks_.Open();
}

const Status& ClockedWindows::status() const {
  return clocks_.status().ok() ? AlignedWindows::status() : clocks_.status();
}

void ClockedWindows::Process(const KeyedRecords& input, ResultSink* sink) {
  ForEachRow(input, [&](uint32_t row, bool joins) { Take(input, row, joins, sink); });
  accumulator_.Flush(input);
  store_.AddedRecords(input.count);
}

// The record is judged by its key's time as it was just before it; then it moves that time.
void ClockedWindows::Take(const KeyedRecords& input, uint32_t row, bool joins, ResultSink* sink) {
  const int64_t held = std::max(input.watermark[row], fired_);
  const ResultOrder order{held, 1, input.position + row};
  KeyClock* clock = clocks_.Find(input.keys->Key(row), input.keys->hashes[row], true);
  if (clock->next <= held) {
    accumulator_.Flush(input);
    CloseKey(clock, held, nullptr, sink);
  }
  if (joins) Join(input, row, order, std::max(held, clock->own), clock, sink);
  const int64_t moved = input.batch->event_time[row] - spec_.per_key.delay_us;
  if (moved > clock->own && moved > held) {
    if (clock->next <= moved) {
      accumulator_.Flush(input);
      CloseKey(clock, moved, &order, sink);
    }
    clock->own = moved;
    clocks_.MarkDirty(clock);
  }
  clocks_.Settle(clock, held);
}

void ClockedWindows::Join(const KeyedRecords& input, uint32_t row, const ResultOrder& order,
                          int64_t effective, KeyClock* clock, ResultSink* sink) {
  const int64_t t = input.batch->event_time[row];
  if (place_.slice == nullptr || t < place_.start || t >= place_.end) place_ = Locate(t);
  int64_t first = place_.first_window;
  if (first > effective) {
    AddOnTime(input, row);
  } else {
    accumulator_.Flush(input);
    JoinOrRefuse(input, row, order, effective, sink);
    if (place_.last_window <= effective) return;
    first = FirstWindow(effective + 1);
  }
  // The record is in windows that are open still, the first and the last of them these.
  if (first >= clock->next && place_.last_window <= clock->until) return;
  clock->next = std::min(clock->next, first);
  clock->until = std::max(clock->until, place_.last_window);
  clocks_.MarkDirty(clock);
}

void ClockedWindows::CloseKey(KeyClock* clock, int64_t to, const ResultOrder* caused,
                              ResultSink* sink) {
  const int64_t last = std::min(to, clock->until);
  if (sliding()) {
    CloseSlidingOf(clock, last, caused, sink);
  } else {
    CloseTumblingOf(clock, last, caused, sink);
  }
  int64_t next = 0;
  const bool open = clock->until > to && NextWindow(to, &next) && next <= clock->until;
  clock->next = open ? next : KeyClock::kNever;
  clocks_.MarkDirty(clock);
}

void ClockedWindows::CloseTumblingOf(KeyClock* clock, int64_t last, const ResultOrder* caused,
                                     ResultSink* sink) {
  const auto& slices = store_.slices();
  for (auto it = slices.lower_bound(clock->next); it != slices.end() && it->first <= last; ++it) {
    const int64_t end = it->first;
    const Pane* pane = store_.FindPane(end, it->second.get(), clock->key, clock->hash);
    if (pane == nullptr) continue;
    sink->OnResult(caused == nullptr ? ResultOrder{end, 0, 0} : *caused, clock->key, clock->hash,
                   end - spec_.size_us, end, 0, pane->block());
  }
}

void ClockedWindows::CloseSlidingOf(KeyClock* clock, int64_t last, const ResultOrder* caused,
                                    ResultSink* sink) {
  char* block = reinterpret_cast<char*>(scratch_block_.data());
  int64_t end = 0;
  for (int64_t after = SaturatingSub(clock->next, 1); NextWindow(after, &end) && end <= last;
       after = end) {
    const bool any = tree_.MergeKey(tree_.SliceNumber(end - spec_.size_us + slice_us_),
                                    tree_.SliceNumber(end), clock->key, clock->hash, block);
    if (any) {
      sink->OnResult(caused == nullptr ? ResultOrder{end, 0, 0} : *caused, clock->key, clock->hash,
                     end - spec_.size_us, end, 0, block);
    }
    plan_->Destroy(block);
  }
}

void ClockedWindows::Advance(const FirePoint& point, ResultSink* sink) {
  if (point.time <= fired_) return;
  clocks_.Bring(point);
  while (KeyClock* clock = clocks_.NextDue(point)) {
    const int64_t to = point.TimeOf(clock->key);
    if (clock->next <= to) CloseKey(clock, to, nullptr, sink);
    clocks_.Settle(clock, to);
  }
  Reach(point);
  Purge(fired_);
}

FirePoint ClockedWindows::NextPoint(int64_t watermark, size_t limit) {
  return clocks_.NextPoint(partial_, watermark, limit);
}

void ClockedWindows::CollectChanges(StateChanges* changes) {
  AlignedWindows::CollectChanges(changes);
  clocks_.CollectChanges(changes);
}

void ClockedWindows::Evict(size_t target) {
  // Clocks are small and used by every record: they go last.
  const size_t clocks = clocks_.MemoryBytes();
  AlignedWindows::Evict(target > clocks ? target - clocks : target / 2);
  const size_t panes = AlignedWindows::MemoryBytes();
  clocks_.Evict(target > panes ? target - panes : 0);
}

}  // namespace rivulet
