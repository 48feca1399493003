// What SourceTask does besides where a pipeline has several sources: all of it is read in one order, but each
// record belongs to a source with times and a watermark of its own.
#include <algorithm>
#include <limits>

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
      for (const uint32_t row : rows) batch.event_time[row] = batch.arrival[row];
    } else {
      ReadTimes(slot, source, {rows.data(), static_cast<uint32_t>(rows.size())});
    }
  }
  std::sort(slot->row_errors.begin(), slot->row_errors.end(),
            [](const RowError& a, const RowError& b) { return a.row < b.row; });
}

// Which source holds W back can change with each record, so this cannot be done slot by slot.
void SourceTask::CombineChannels(Slot* slot) {
  SourceSlot& out = slot->out;
  out.watermark.resize(out.batch.rows);
  size_t mark = 0, dead = 0;
  const auto punctuate = [&](size_t count) {
    while (mark < count) channels_.RaiseAll(slot->marks[mark++].watermark);
  };
  const auto pass_dead = [&](uint32_t row) {
    for (; dead < out.dead.size() && out.dead[dead].row <= row; ++dead) {
      punctuate(out.dead[dead].punctuations);
      out.dead[dead].watermark = channels_.watermark();
    }
  };
  for (const uint32_t row : out.rows) {
    pass_dead(row);
    while (mark < slot->marks.size() && slot->marks[mark].row <= row) punctuate(mark + 1);
    const uint8_t source = out.source[row];
    channels_.Hear(source, out.batch.arrival[row]);
    out.watermark[row] = channels_.watermark();
    channels_.Raise(source, out.batch.event_time[row] - plan_->at(source).delay.us);
  }
  pass_dead(std::numeric_limits<uint32_t>::max());
  punctuate(slot->marks.size());
  watermark_ = channels_.watermark();
}

}  // namespace rivulet
