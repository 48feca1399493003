// What SourceTask does besides where W does not follow from event times alone: with several sources, whose
// records are read in one order but have times and a watermark of their own, and with `idle`, where time goes
// on when nothing comes.
#include <algorithm>
#include <limits>
#include <utility>

#include "node/engine/source_task.h"

namespace rivulet {

void SourceTask::NoteSource(Slot* slot, uint8_t source, uint32_t first_row) const {
  RecordBatch& batch = slot->out.batch;
  std::vector<uint8_t>& sources = slot->out.source;
  Column& name = batch.columns[plan_->name_column];
  for (uint32_t row = first_row; row < batch.rows; ++row) {
    const auto same = std::find(sources.rbegin(), sources.rend(), source);
    // Rows before and after are mostly of the same few sources: the name's bytes are there already.
    if (same == sources.rend()) {
      name.SetString(row, plan_->at(source).name);
    } else {
      name.ShareString(row, static_cast<uint32_t>(sources.rend() - same - 1));
    }
    sources.push_back(source);
  }
}

void SourceTask::ExtractTimes(Slot* slot) const {
  RecordBatch& batch = slot->out.batch;
  std::vector<uint32_t>& rows = slot->out.rows;  // filled anew behind this
  for (size_t i = 0; i < plan_->sources(); ++i) {
    const SourcePlan& source = plan_->at(i);
    rows.clear();
    for (uint32_t row = 0; row < batch.rows; ++row) {
      if (slot->out.source[row] == i) rows.push_back(row);
    }
    if (rows.empty()) continue;
    if (source.arrival_time) {
      TakeArrival({rows.data(), static_cast<uint32_t>(rows.size())}, slot);
    } else {
      ReadTimes(slot, source, {rows.data(), static_cast<uint32_t>(rows.size())});
    }
  }
  std::sort(slot->row_errors.begin(), slot->row_errors.end(),
            [](const RowError& a, const RowError& b) { return a.row < b.row; });
}

void SourceTask::Pass(const Slot::Mark& mark) {
  if (!mark.tick) return channels_.RaiseAll(mark.time);
  if (mark.resumes) return channels_.Resume(mark.time);
  channels_.Tick(mark.time);
}

// Which source holds W back can change with each record, so this cannot be done slot by slot. Goes through
// what comes from messages before `end`.
void SourceTask::CombineChannels(Slot* slot, uint64_t end) {
  SourceSlot& out = slot->out;
  out.watermark.resize(out.batch.rows);
  size_t mark = 0, dead = 0;
  const auto pass_marks = [&](size_t count) {
    for (; mark < count && slot->marks[mark].offset < end; ++mark) Pass(slot->marks[mark]);
  };
  const auto pass_dead = [&](uint32_t row) {
    for (; dead < out.dead.size() && out.dead[dead].row <= row; ++dead) {
      if (out.dead[dead].offset >= end) return;
      pass_marks(out.dead[dead].punctuations);
      out.dead[dead].watermark = channels_.watermark();
    }
  };
  const bool several = plan_->several();
  for (const uint32_t row : out.rows) {
    if (out.batch.offset[row] >= end) break;
    pass_dead(row);
    size_t marks = mark;
    while (marks < slot->marks.size() && slot->marks[marks].row <= row) ++marks;
    pass_marks(marks);
    const uint8_t source = several ? out.source[row] : uint8_t{0};
    channels_.Hear(source, out.batch.arrival[row]);
    out.watermark[row] = channels_.watermark();
    channels_.Raise(source, out.batch.event_time[row] - plan_->at(source).delay.us);
  }
  pass_dead(std::numeric_limits<uint32_t>::max());
  pass_marks(slot->marks.size());
  watermark_ = channels_.watermark();
}

void SourceTask::Rewind(int64_t watermark, uint64_t offset) {
  watermark_ = watermark;
  if (channels_.empty()) return;
  channels_ = channels_before_;
  for (const std::unique_ptr<Slot>& slot : slots_) CombineChannels(slot.get(), offset);
}

void SourceTask::GoOnFrom(Reached reached) {
  watermark_ = reached.watermark;
  channels_ = std::move(reached.channels);
}

int64_t SourceTask::WatermarkAt(int64_t received) const {
  if (channels_.empty()) {
    return plan_->arrival_time ? std::max(watermark_, received - plan_->delay.us) : watermark_;
  }
  ChannelWatermarks then = channels_;
  then.Tick(received);
  return then.watermark();
}

}  // namespace rivulet
