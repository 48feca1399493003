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
  const bool goes_on = plan.idle && !plan.arrival_time && !plan.brings_watermark;
  for (size_t i = 0; (plan.several() || goes_on) && i < plan.sources(); ++i) {
    const SourcePlan& source = plan.at(i);
    channels.push_back({source.name, source.idle});
    if (source.arrival_time) channels.back().arrival = source.delay;
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
    : plan_(plan), channels_(ChannelsOf(*plan)), channels_before_(channels_), watermark_(watermark) {
  for (uint32_t i = 0; i < slots; ++i) {
    slots_.push_back(std::make_unique<Slot>());
    for (size_t s = 0; s < plan->sources(); ++s) {
      slots_.back()->decoders.push_back(plan->at(s).NewDecoder());
    }
  }
}

bool SourceTask::Matches(uint32_t topic_id, std::string_view topic) {
  if (topic_id >= route_of_.size()) route_of_.resize(topic_id + 1, kUnknown);
  uint32_t& known = route_of_[topic_id];
  if (known != kUnknown) return known != kOther;
  known = kOther;
  Route route;
  for (size_t i = 0; i < plan_->sources(); ++i) {
    if (!MatchSource(plan_->at(i), topic, &route)) continue;
    route.source = static_cast<uint8_t>(i);
    known = kFirst + static_cast<uint32_t>(routes_.size());
    routes_.push_back(std::move(route));
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
  out.time_only.clear();
  out.source.clear();
  slot.marks.clear();
  slot.assumed.clear();
  slot.undeclared = false;
  const bool several = plan_->several();
  for (const InputMessage& message : messages) {
    const uint32_t first_row = out.batch.rows;
    const bool punctuation = message.kind == InputMessage::Kind::kWatermark;
    const bool tick = message.kind == InputMessage::Kind::kTick;
    if (punctuation || tick || plan_->brings_watermark) AddMark(message, &slot);
    if (punctuation || tick) continue;
    if (message.kind == InputMessage::Kind::kTable) {
      AddTableFaults(message, &slot);
      continue;
    }
    const bool time_only = message.kind == InputMessage::Kind::kTimeOnly;
    if (message.kind == InputMessage::Kind::kRefused || (time_only && !message.why.empty())) {
      out.dead.push_back({out.batch.rows, message.refused, std::string(message.why),
                          message.payload.payload, 0, slot.marks.size(), message.payload.offset});
    }
    if (message.kind == InputMessage::Kind::kRefused) continue;
    uint8_t source = 0;
    if (several) source = message.topic.empty() ? message.source : RouteOf(message.topic_id).source;
    if (source == InputMessage::kNoSource) {
      slot.decode_errors.push_back({message.payload.offset, ErrorCode::kMissingField, NoSourceMessage(*plan_),
                                    message.payload.payload});
    } else {
      slot.decoders[source]->Decode(message.payload, &out.batch, &slot.decode_errors);
    }
    for (const DecodeError& e : slot.decode_errors) slot.undeclared = slot.undeclared || e.undeclared;
    if (time_only) {
      slot.decode_errors.clear();
      out.time_only.emplace_back(first_row, out.batch.rows);
    }
    for (DecodeError& e : slot.decode_errors) {
      out.dead.push_back({out.batch.rows, e.code, std::move(e.detail), e.raw, 0, slot.marks.size(),
                          message.payload.offset, e.element});
    }
    slot.decode_errors.clear();
    if (message.assumed) {
      if (slot.assumed.empty() || slot.assumed.back().second != first_row) {
        slot.assumed.emplace_back(first_row, first_row);
      }
      slot.assumed.back().second = out.batch.rows;
    }
    if (!message.topic.empty()) FillTopicFields(&slot, RouteOf(message.topic_id), first_row);
    if (several) NoteSource(&slot, source, first_row);
  }
  const size_t undecoded = out.dead.size();
  FindTimes(&slot);
  if (!out.dead.empty()) PlaceDeadLetters(&slot, undecoded);
  if (!channels_.empty()) return;  // the rest is Combine's
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

void SourceTask::AddMark(const InputMessage& message, Slot* slot) const {
  Slot::Mark mark{slot->out.batch.rows, 0, message.payload.offset};
  mark.tick = message.kind == InputMessage::Kind::kTick;
  mark.resumes = message.resumes;
  const int64_t received = message.payload.arrival_us;
  if (!mark.tick) {
    mark.time = plan_->Brought(message.watermark_us);
  } else if (!channels_.empty()) {
    mark.time = received;
  } else {
    mark.time = plan_->arrival_time ? received - plan_->delay.us : kMinTime;
  }
  if (channels_.empty() && !slot->marks.empty()) mark.time = std::max(mark.time, slot->marks.back().time);
  slot->marks.push_back(mark);
}

void SourceTask::TakeArrival(Selection rows, Slot* slot) const {
  RecordBatch& batch = slot->out.batch;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    batch.event_time[row] = batch.arrival[row];
    if (batch.arrival[row] != 0 || plan_->brings_watermark || plan_->timeless) continue;
    slot->row_errors.push_back({row, ErrorCode::kNoReceiveTime,
                                "the line has no receive time; expected it to begin with "
                                "{\"@arrival\": <epoch ms>"});
  }
}

// The latest good event time of the record in `row`. A node that does not know the date cannot say what is
// ahead of it by minutes; what is by many years is a fault all the same.
int64_t SourceTask::LatestTime(const Slot& slot, uint32_t row, Duration max_ahead) const {
  const int64_t received = slot.out.batch.arrival[row];
  const auto is_in = [row](const auto& rows) { return row >= rows.first && row < rows.second; };
  if (std::none_of(slot.assumed.begin(), slot.assumed.end(), is_in)) {
    return SaturatingAdd(received, max_ahead.us);
  }
  return SaturatingAdd(std::max(received, kNoClockBefore.us), std::max(max_ahead, kAheadOfAssumed).us);
}

void SourceTask::ReadTimes(Slot* slot, const SourcePlan& source, Selection rows) {
  RecordBatch& batch = slot->out.batch;
  if (!source.computed_time) {
    return ExtractEventTime(&batch, rows, batch.columns[source.time_column], source.time,
                            &slot->row_errors);
  }
  const ComputedTime& computed = *source.computed_time;
  const size_t first_error = slot->row_errors.size();
  RecordBatch& inputs = slot->time_inputs;
  inputs.rows = batch.rows;
  inputs.columns.resize(computed.inputs.size());
  const auto lend = [&] {
    for (size_t i = 0; i < computed.inputs.size(); ++i) {
      std::swap(inputs.columns[i], batch.columns[computed.inputs[i]]);
    }
  };
  lend();
  computed.program.Evaluate(inputs, rows, &slot->context, &slot->times, &slot->row_errors);
  lend();
  slot->time_rows.clear();
  for (uint32_t k = 0; k < rows.count; ++k) slot->time_rows.push_back(rows[k]);
  RemoveFailedRows(slot->row_errors, first_error, &slot->time_rows);
  for (size_t e = first_error; e < slot->row_errors.size(); ++e) {
    slot->row_errors[e].detail.insert(0, "event time '" + source.time.name + "': ");
  }
  ExtractEventTime(&batch, {slot->time_rows.data(), static_cast<uint32_t>(slot->time_rows.size())},
                   slot->times, source.time, &slot->row_errors);
  std::sort(slot->row_errors.begin() + static_cast<std::ptrdiff_t>(first_error), slot->row_errors.end(),
            [](const RowError& a, const RowError& b) { return a.row < b.row; });
}

void SourceTask::FindTimes(Slot* slot) {
  SourceSlot& out = slot->out;
  RecordBatch& batch = out.batch;
  if (plan_->several()) {
    ExtractTimes(slot);
  } else if (plan_->arrival_time) {
    TakeArrival(Selection::All(batch.rows), slot);
  } else {
    ReadTimes(slot, *plan_, Selection::All(batch.rows));
    if (plan_->start_column) StepBeforeEnds(&batch);
  }
  out.rows.clear();
  const bool several = plan_->several();
  Duration max_ahead = plan_->max_ahead;
  size_t next_error = 0;
  const auto reject = [&](uint32_t row, ErrorCode code, std::string detail) {
    if (!out.IsTimeOnly(row)) out.dead.push_back({row, code, std::move(detail), batch.raw[row]});
  };
  for (uint32_t row = 0; row < batch.rows; ++row) {
    if (next_error < slot->row_errors.size() && slot->row_errors[next_error].row == row) {
      RowError& e = slot->row_errors[next_error++];
      reject(row, e.code, std::move(e.detail));
      continue;
    }
    const int64_t t = batch.event_time[row];
    if (t > kTimeLimit || t < -kTimeLimit) {
      reject(row, ErrorCode::kBadTime, "event time is over 73,000 years from 1970");
      continue;
    }
    if (several) max_ahead = plan_->at(out.source[row]).max_ahead;
    // Without a receive time (replay) nothing is ahead.
    const int64_t received = batch.arrival[row];
    if (received != 0 && t > SaturatingAdd(received, max_ahead.us) && t > LatestTime(*slot, row, max_ahead)) {
      reject(row, ErrorCode::kTimeAhead,
             "event time " + FormatIso8601(t) + " is more than " + FormatDuration(max_ahead) +
                 " after its receive time " + FormatIso8601(received));
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
      w = std::max(w, slot->marks[mark++].time);
    }
    out.watermark[row] = w;
    if (by_times) w = std::max(w, out.batch.event_time[row] - delay);
  }
  while (mark < slot->marks.size()) w = std::max(w, slot->marks[mark++].time);
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
        d.punctuations == 0 ? w : std::max(w, slot->marks[d.punctuations - 1].time);
  }
}

bool SourceTask::UndeclaredFault() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->undeclared; });
}

void SourceTask::Combine() {
  uint64_t position = 0;
  if (!channels_.empty()) channels_before_ = channels_;
  bool ticks = false, others = false;
  for (const std::unique_ptr<Slot>& slot : slots_) {
    ticks = ticks || !slot->marks.empty();
    others = others || slot->out.batch.rows > 0 || !slot->out.dead.empty() ||
             std::any_of(slot->marks.begin(), slot->marks.end(), [](const auto& m) { return !m.tick; });
    slot->out.first_position = position;
    position += slot->out.batch.rows;
    if (!channels_.empty()) {
      CombineChannels(slot.get(), std::numeric_limits<uint64_t>::max());
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
  only_ticks_ = ticks && !others;
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
    mine.time_only.swap(theirs.time_only);
    std::swap(mine.first_position, theirs.first_position);
    slots_[i]->marks.swap(shared->slots_[i]->marks);
  }
  watermark_ = shared->watermark_;
  only_ticks_ = shared->only_ticks_;
  if (channels_.empty()) return;
  channels_ = shared->channels_;
  channels_before_ = shared->channels_before_;
}

void SourceTask::Finish() { watermark_ = std::numeric_limits<int64_t>::max(); }

}  // namespace rivulet
