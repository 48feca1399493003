#include "node/engine/source_task.h"

#include <algorithm>
#include <limits>

#include "base/units.h"

namespace rivulet {
namespace {

constexpr int64_t kMinTime = std::numeric_limits<int64_t>::min();
// Event times further from 1970 than this (73,000 years) are refused: sums of times and window
// lengths then never overflow.
constexpr int64_t kTimeLimit = int64_t{1} << 61;

constexpr uint32_t kKeptRows = 16384;

std::vector<ChannelWatermarks::Channel> ChannelsOf(const SourcePlan& plan) {
  std::vector<ChannelWatermarks::Channel> channels;
  for (size_t i = 0; plan.several() && i < plan.sources(); ++i) {
    channels.push_back({plan.at(i).name, plan.at(i).idle});
  }
  return channels;
}

}  // namespace

const InputMessage* SourceSlot::MessageAt(uint64_t offset) const {
  const auto before = [](const InputMessage& m, uint64_t at) { return m.payload.offset < at; };
  const auto found = std::lower_bound(messages.begin(), messages.end(), offset, before);
  return found == messages.end() || found->payload.offset != offset ? nullptr : &*found;
}

SourceTask::SourceTask(const SourcePlan* plan, uint32_t slots, int64_t watermark)
    : plan_(plan), channels_(ChannelsOf(*plan)), watermark_(watermark) {
  for (uint32_t i = 0; i < slots; ++i) {
    slots_.push_back(std::make_unique<Slot>());
    for (size_t s = 0; s < plan->sources(); ++s) {
      slots_.back()->decoders.push_back(plan->at(s).NewDecoder());
    }
  }
}

bool SourceTask::Matches(uint32_t topic_id, std::string_view topic) {
  if (topic_id >= routes_.size()) routes_.resize(topic_id + 1);
  Route& route = routes_[topic_id];
  if (route.state != Route::State::kUnknown) return route.state == Route::State::kMatch;
  route.state = Route::State::kOther;
  for (size_t i = 0; i < plan_->sources(); ++i) {
    if (!MatchSource(plan_->at(i), topic, &route)) continue;
    route.state = Route::State::kMatch;
    route.source = static_cast<uint8_t>(i);
    return true;
  }
  return false;
}

bool SourceTask::MatchSource(const SourcePlan& source, std::string_view topic, Route* route) const {
  std::vector<std::string_view> captures;
  for (const TopicPattern& pattern : source.topics) {
    if (!pattern.Match(topic, &captures)) continue;
    for (const TopicField& field : source.topic_fields) {
      const auto name = std::find(pattern.names().begin(), pattern.names().end(), field.name);
      const bool present = name != pattern.names().end();
      route->present.push_back(present);
      route->levels.emplace_back(
          present ? captures[static_cast<size_t>(name - pattern.names().begin())] : "");
    }
    return true;
  }
  return false;
}

void SourceTask::FillTopicFields(Slot* slot, const Route& route, uint32_t first_row) {
  RecordBatch& batch = slot->out.batch;
  const std::vector<TopicField>& fields = plan_->at(route.source).topic_fields;
  for (size_t f = 0; f < fields.size(); ++f) {
    if (!route.present[f]) continue;
    Column& column = batch.columns[fields[f].column];
    for (uint32_t row = first_row; row < batch.rows; ++row) {
      // All records of one message share the level's bytes.
      if (row == first_row) {
        column.SetString(row, route.levels[f]);
      } else {
        column.ShareString(row, first_row);
      }
    }
  }
}

namespace {

std::string NoSourceMessage(const SourcePlan& plan) {
  std::string names;
  for (size_t i = 0; i < plan.sources(); ++i) names += (i == 0 ? "" : ", ") + plan.at(i).name;
  return "the line does not begin with {\"@source\": \"name\"; expected one of: " + names;
}

}  // namespace

void SourceTask::Decode(uint32_t i, std::span<const InputMessage> messages) {
  Slot& slot = *slots_[i];
  SourceSlot& out = slot.out;
  // What a payload of very many records took is given back when it is over.
  if (out.batch.capacity() > kKeptRows && out.batch.rows < out.batch.capacity() / 4) out = SourceSlot();
  if (slot.decode_errors.capacity() > kKeptRows) std::vector<DecodeError>().swap(slot.decode_errors);
  out.batch.Reset(plan_->columns, std::max<uint32_t>(out.batch.capacity(),
                                                     static_cast<uint32_t>(messages.size())));
  out.messages = messages;
  out.dead.clear();
  out.source.clear();
  slot.marks.clear();
  const bool several = plan_->several();
  for (const InputMessage& message : messages) {
    const uint32_t first_row = out.batch.rows;
    const bool punctuation = message.kind == InputMessage::Kind::kWatermark;
    if (punctuation || plan_->brings_watermark) {
      const int64_t before = slot.marks.empty() ? kMinTime : slot.marks.back().watermark;
      slot.marks.push_back({first_row, std::max(before, plan_->Brought(message.watermark_us))});
    }
    if (punctuation) continue;
    if (message.kind == InputMessage::Kind::kTable) {
      AddTableFaults(message, &slot);
      continue;
    }
    if (message.kind == InputMessage::Kind::kRefused) {
      out.dead.push_back({out.batch.rows, message.refused, std::string(message.why),
                          message.payload.payload, 0, slot.marks.size(), message.payload.offset});
      continue;
    }
    uint8_t source = 0;
    if (several) source = message.topic.empty() ? message.source : routes_[message.topic_id].source;
    if (source == InputMessage::kNoSource) {
      slot.decode_errors.push_back({message.payload.offset, ErrorCode::kMissingField, NoSourceMessage(*plan_),
                                    message.payload.payload});
    } else {
      slot.decoders[source]->Decode(message.payload, &out.batch, &slot.decode_errors);
    }
    for (DecodeError& e : slot.decode_errors) {
      out.dead.push_back({out.batch.rows, e.code, std::move(e.detail), e.raw, 0, slot.marks.size(),
                          message.payload.offset, e.element});
    }
    slot.decode_errors.clear();
    if (!message.topic.empty()) FillTopicFields(&slot, routes_[message.topic_id], first_row);
    if (several) NoteSource(&slot, source, first_row);
  }
  const size_t undecoded = out.dead.size();
  FindTimes(&slot);
  if (!out.dead.empty()) PlaceDeadLetters(&slot, undecoded);
  if (several) return;  // the rest is Combine's
  FindWatermarks(&slot);
  if (!out.dead.empty()) WatermarkDeadLetters(&slot);
}

void SourceTask::StepBeforeEnds(RecordBatch* batch) const {
  const Column& start = batch->columns[*plan_->start_column];
  const Column& end = batch->columns[plan_->time_column];
  for (uint32_t row = 0; row < batch->rows; ++row) {
    const bool moment = start.type(row) == Type::kInt && end.type(row) == Type::kInt &&
                        start.Int(row) == end.Int(row);
    if (!moment) batch->event_time[row] = SaturatingSub(batch->event_time[row], 1);
  }
}

void SourceTask::AddTableFaults(const InputMessage& message, Slot* slot) const {
  if (table_faults_ == nullptr) return;
  const auto before = [](const TableMessageFault& f, uint64_t offset) { return f.error.offset < offset; };
  auto fault = std::lower_bound(table_faults_->begin(), table_faults_->end(), message.payload.offset, before);
  for (; fault != table_faults_->end() && fault->error.offset == message.payload.offset; ++fault) {
    if (fault->table != message.table) continue;
    slot->out.dead.push_back({slot->out.batch.rows, fault->error.code, fault->error.detail,
                              fault->error.raw, 0, slot->marks.size(), fault->error.offset});
  }
}

void SourceTask::FindTimes(Slot* slot) {
  SourceSlot& out = slot->out;
  RecordBatch& batch = out.batch;
  if (plan_->several()) {
    ExtractTimes(slot);
  } else if (plan_->arrival_time) {
    std::copy_n(batch.arrival.begin(), batch.rows, batch.event_time.begin());
  } else {
    ExtractEventTime(&batch, Selection::All(batch.rows), plan_->time_column, plan_->time_unit,
                     &slot->row_errors);
    if (plan_->start_column) StepBeforeEnds(&batch);
  }
  out.rows.clear();
  const bool several = plan_->several();
  Duration max_ahead = plan_->max_ahead;
  size_t next_error = 0;
  for (uint32_t row = 0; row < batch.rows; ++row) {
    if (next_error < slot->row_errors.size() && slot->row_errors[next_error].row == row) {
      RowError& e = slot->row_errors[next_error++];
      out.dead.push_back({row, e.code, std::move(e.detail), batch.raw[row]});
      continue;
    }
    const int64_t t = batch.event_time[row];
    if (t > kTimeLimit || t < -kTimeLimit) {
      out.dead.push_back({row, ErrorCode::kBadTime, "event time is over 73,000 years from 1970",
                          batch.raw[row]});
      continue;
    }
    // Without a receive time (replay), or with one that a Pi without a clock battery made up before it knew
    // the date, nothing is ahead.
    if (several) max_ahead = plan_->at(out.source[row]).max_ahead;
    if (batch.arrival[row] >= kPlausibleTime && t > SaturatingAdd(batch.arrival[row], max_ahead.us)) {
      out.dead.push_back({row, ErrorCode::kTimeAhead,
                          "event time " + FormatIso8601(t) + " is more than " +
                              FormatDuration(max_ahead) + " after its receive time " +
                              FormatIso8601(batch.arrival[row]),
                          batch.raw[row]});
      continue;
    }
    out.rows.push_back(row);
  }
  slot->row_errors.clear();
}

void SourceTask::FindWatermarks(Slot* slot) {
  SourceSlot& out = slot->out;
  out.watermark.resize(out.batch.rows);
  int64_t w = kMinTime;
  size_t mark = 0;
  // Not looked up again with each record.
  const bool by_times = !plan_->brings_watermark;
  const int64_t delay = plan_->delay.us;
  for (const uint32_t row : out.rows) {
    while (mark < slot->marks.size() && slot->marks[mark].row <= row) {
      w = std::max(w, slot->marks[mark++].watermark);
    }
    out.watermark[row] = w;
    if (by_times) w = std::max(w, out.batch.event_time[row] - delay);
  }
  while (mark < slot->marks.size()) w = std::max(w, slot->marks[mark++].watermark);
  slot->watermark = w;
}

// Puts the dead letters in the order of the input. The first `undecoded` have no row of their own: they lie
// before the row they name.
void SourceTask::PlaceDeadLetters(Slot* slot, size_t undecoded) {
  SourceSlot& out = slot->out;
  const auto row_of = [](uint32_t row, const Slot::Mark& mark) { return row < mark.row; };
  for (size_t i = undecoded; i < out.dead.size(); ++i) {
    const auto after = std::upper_bound(slot->marks.begin(), slot->marks.end(), out.dead[i].row,
                                        row_of);
    out.dead[i].punctuations = static_cast<size_t>(after - slot->marks.begin());
    out.dead[i].offset = out.batch.offset[out.dead[i].row];
    out.dead[i].element = out.batch.element(out.dead[i].row);
  }
  std::stable_sort(out.dead.begin(), out.dead.end(),
                   [](const DeadLetter& a, const DeadLetter& b) { return a.row < b.row; });
}

// Finds W just before each.
void SourceTask::WatermarkDeadLetters(Slot* slot) const {
  SourceSlot& out = slot->out;
  int64_t w = kMinTime;
  size_t good = 0;
  const bool by_times = !plan_->brings_watermark;
  for (DeadLetter& d : out.dead) {
    for (; good < out.rows.size() && out.rows[good] < d.row; ++good) {
      if (by_times) w = std::max(w, out.batch.event_time[out.rows[good]] - plan_->delay.us);
    }
    d.watermark =
        d.punctuations == 0 ? w : std::max(w, slot->marks[d.punctuations - 1].watermark);
  }
}

void SourceTask::Combine() {
  uint64_t position = 0;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    slot->out.first_position = position;
    position += slot->out.batch.rows;
    if (plan_->several()) {
      CombineChannels(slot.get());
      continue;
    }
    // W within a slot only grows: once it has passed what came before, the rest is right as it is.
    for (const uint32_t row : slot->out.rows) {
      if (slot->out.watermark[row] >= watermark_) break;
      slot->out.watermark[row] = watermark_;
    }
    for (DeadLetter& d : slot->out.dead) d.watermark = std::max(d.watermark, watermark_);
    watermark_ = std::max(watermark_, slot->watermark);
  }
}

void SourceTask::Exchange(SourceTask* shared, const ColumnMap& map) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    SourceSlot& mine = slots_[i]->out;
    SourceSlot& theirs = shared->slots_[i]->out;
    mine.batch.columns.resize(plan_->columns);
    for (const auto& [from, to] : map) std::swap(mine.batch.columns[to], theirs.batch.columns[from]);
    std::swap(mine.batch.rows, theirs.batch.rows);
    mine.batch.event_time.swap(theirs.batch.event_time);
    mine.batch.arrival.swap(theirs.batch.arrival);
    mine.batch.offset.swap(theirs.batch.offset);
    mine.batch.raw.swap(theirs.batch.raw);
    mine.batch.elements.swap(theirs.batch.elements);
    std::swap(mine.messages, theirs.messages);
    mine.rows.swap(theirs.rows);
    mine.watermark.swap(theirs.watermark);
    mine.source.swap(theirs.source);
    mine.dead.swap(theirs.dead);
    std::swap(mine.first_position, theirs.first_position);
  }
  watermark_ = shared->watermark_;
  if (plan_->several()) channels_ = shared->channels_;
}

void SourceTask::Finish() { watermark_ = std::numeric_limits<int64_t>::max(); }

}  // namespace rivulet
