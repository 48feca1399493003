// SourceTask: decodes the messages of a turn, finds event times and watermarks. One serves all pipelines
// with the same source. It holds nothing that cannot be recomputed from a log position and a watermark.
//
// A turn's messages are cut into slots, one a worker, in order: slot 0 has the first messages. Decoding is
// parallel over slots; Combine, which is sequential and cheap, then makes the watermarks continuous.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/plan/pipeline_plan.h"
#include "operators/steps/step_chain.h"
#include "operators/time/channel_watermarks.h"

namespace rivulet {

// A clock that says less was never set.
inline constexpr EventTime kNoClockBefore{1'704'067'200'000'000};  // 2024
// What may be after a receive time that is assumed, or after kNoClockBefore if that is later.
inline constexpr Duration kAheadOfAssumed = Duration::Seconds(int64_t{10} * 365 * 24 * 3600);

// One message of a turn. The payload stays readable until the turn ends.
struct InputMessage {
  // kTick: nothing more came up to the payload's receive time; there is no payload.
  // kRefused: a message that is not looked into; it becomes a dead letter with `refused` and `why`.
  // kTimeOnly: one for whose changes there is no room: W goes on by its records, and that is all they do. It
  // becomes one dead letter, too, or none without `why`.
  enum class Kind : uint8_t { kRecord, kWatermark, kTable, kTick, kRefused, kTimeOnly };
  PayloadRef payload;            // receive time 0: it has none
  std::string_view topic;        // replay: empty
  // kWatermark: the punctuation's time; kRecord: W just before it, for sources that bring it
  // (SourcePlan::brings_watermark).
  int64_t watermark_us = 0;
  uint32_t topic_id = 0;         // dense; equal for equal topics
  uint32_t table = 0;            // kTable: which of the pipeline's tables it is a row of
  Kind kind = Kind::kRecord;
  // Replay of several sources: which one it is of; otherwise the topic says it.
  static constexpr uint8_t kNoSource = 255;
  uint8_t source = 0;
  bool removes = false;          // kTable: it has only the key, of a row to be removed
  bool assumed = false;          // the receive time is: the node did not know the date
  bool resumes = false;          // kTick: it was not listened to before it
  ErrorCode refused = ErrorCode::kPayloadTooLarge;
  std::string_view why;          // of kRefused, kTimeOnly; stays readable until the turn ends
  uint64_t whole_bytes = 0;      // where `payload` is only a message's beginning: how long it was
};

// What was wrong with a message that is a row of a table; it becomes a dead letter like that of a record.
struct TableMessageFault {
  uint32_t table;
  DecodeError error;
};

// A record that goes no further, and why. `raw` lives as long as the turn.
struct DeadLetter {
  uint32_t row;                  // of its slot, or of the row after which it was met
  ErrorCode code;
  std::string detail;
  std::string_view raw;
  int64_t watermark = 0;         // W just before it, us: its place among the results that fail
  size_t punctuations = 0;       // of its slot that came before it
  uint64_t offset = 0;           // of its message in the log
  uint32_t element = 0;          // see ElementPlace
};

// The decoded share of one worker.
struct SourceSlot {
  RecordBatch batch;
  std::vector<uint32_t> rows;        // those with a good event time, ascending
  std::vector<int64_t> watermark;    // by row: W just before the record, us
  std::vector<uint8_t> source;       // by row: which of several sources; empty with one
  std::vector<DeadLetter> dead;      // in the order of the records
  std::vector<std::pair<uint32_t, uint32_t>> time_only;  // rows [first, second) that only move W
  uint64_t first_position = 0;       // of row 0 in the turn
  std::span<const InputMessage> messages;  // what it was decoded from

  // The message at `offset` of the log; null when there is none.
  const InputMessage* MessageAt(uint64_t offset) const;
  bool IsTimeOnly(uint32_t row) const {
    return std::any_of(time_only.begin(), time_only.end(),
                       [row](const auto& range) { return row >= range.first && row < range.second; });
  }
};

// Which column of a shared batch is which of a pipeline's own: (shared, own).
using ColumnMap = std::vector<std::pair<uint32_t, uint32_t>>;

class SourceTask {
 public:
  SourceTask(const SourcePlan* plan, uint32_t slots, int64_t watermark);

  // Decodes slot `i`'s messages. Parallel over slots.
  void Decode(uint32_t i, std::span<const InputMessage> messages);
  // Whether a record decoded since was put aside for a field that is not declared: who does not read it would
  // have taken the record.
  bool UndeclaredFault() const;
  // After all slots are decoded: makes watermarks run on from slot to slot and from turn to turn.
  void Combine();

  SourceSlot& slot(uint32_t i) { return slots_[i]->out; }
  uint32_t slots() const { return static_cast<uint32_t>(slots_.size()); }
  const SourcePlan& plan() const { return *plan_; }

  // W after everything decoded so far; min() before the first record.
  int64_t watermark() const { return watermark_; }
  // End of input: W = +infinity.
  void Finish();
  // The next turn begins with the message at `offset` of the last one, before which W was this.
  void Rewind(int64_t watermark, uint64_t offset);
  // How far time has got, for as long as another task's columns are borrowed.
  struct Reached {
    int64_t watermark;
    ChannelWatermarks channels;
  };
  Reached reached() const { return {watermark_, channels_}; }
  void GoOnFrom(Reached reached);

  // What W would be after a tick at `received`, us.
  int64_t WatermarkAt(int64_t received) const;
  // The turn has ticks, and nothing else.
  bool only_ticks() const { return only_ticks_; }

  // Of several sources, and of one with `idle`: how far each has got. Otherwise empty.
  const ChannelWatermarks& channels() const { return channels_; }
  void RestoreChannels(const std::vector<ChannelState>& states, const ListeningState& listening) {
    channels_.Restore(states, listening, watermark_);
  }

  // Takes over what `shared` has decoded, column by column as `map` says, without copying. The next call
  // with the same arguments gives it back; in between `shared` must be left alone.
  void Exchange(SourceTask* shared, const ColumnMap& map);

  // What tables have found wrong with messages of the turn, in their order; for Decode.
  void SetTableFaults(const std::vector<TableMessageFault>* faults) { table_faults_ = faults; }

  // True when the topic is one of the source's; captures are cached by topic id.
  bool Matches(uint32_t topic_id, std::string_view topic);

 private:
  // What a topic of this source means to it.
  struct Route {
    std::vector<std::string> levels;  // by topic field; empty string: the pattern has no such level
    std::vector<bool> present;
    uint8_t source = 0;
  };
  static constexpr uint32_t kUnknown = 0, kOther = 1, kFirst = 2;
  struct Slot {
    SourceSlot out;
    std::vector<std::unique_ptr<Decoder>> decoders;  // by source
    std::vector<DecodeError> decode_errors;
    bool undeclared = false;  // one of them, in this turn, is of an undeclared field
    std::vector<RowError> row_errors;
    // For event times that are worked out.
    RecordBatch time_inputs;
    Column times;
    std::vector<uint32_t> time_rows;
    expr::EvalContext context;
    // Punctuations and ticks met before row `row`. Without channels W becomes at least `time`, and neither
    // ever falls; with them it is a tick's receive time.
    struct Mark {
      uint32_t row;
      int64_t time;
      uint64_t offset = 0;
      bool tick = false, resumes = false;
    };
    std::vector<Mark> marks;
    // Rows [first, second) whose receive times are assumed.
    std::vector<std::pair<uint32_t, uint32_t>> assumed;
    int64_t watermark = 0;            // W after the slot, from its own records alone
  };
  void FillTopicFields(Slot* slot, const Route& route, uint32_t first_row);
  // A result's time in a file, from its end to within its window.
  void StepBeforeEnds(RecordBatch* batch) const;
  void FindTimes(Slot* slot);
  void AddMark(const InputMessage& message, Slot* slot) const;
  void TakeArrival(Selection rows, Slot* slot) const;
  int64_t LatestTime(const Slot& slot, uint32_t row, Duration max_ahead) const;
  void FindWatermarks(Slot* slot);
  void AddTableFaults(const InputMessage& message, Slot* slot) const;
  void PlaceDeadLetters(Slot* slot, size_t undecoded);
  void WatermarkDeadLetters(Slot* slot) const;
  bool MatchSource(const SourcePlan& source, std::string_view topic, Route* route) const;
  const Route& RouteOf(uint32_t topic_id) const { return routes_[route_of_[topic_id] - kFirst]; }
  // With several sources; see source_channels.cc.
  void NoteSource(Slot* slot, uint8_t source, uint32_t first_row) const;
  void ExtractTimes(Slot* slot) const;
  static void ReadTimes(Slot* slot, const SourcePlan& source, Selection rows);
  void CombineChannels(Slot* slot, uint64_t end);
  void Pass(const Slot::Mark& mark);

  const SourcePlan* plan_;
  std::vector<std::unique_ptr<Slot>> slots_;
  // By topic id: kUnknown, kOther, or kFirst and the place in routes_. Small: a node has very many topics for
  // each source that wants few of them.
  std::vector<uint32_t> route_of_;
  std::vector<Route> routes_;
  ChannelWatermarks channels_;         // see channels()
  ChannelWatermarks channels_before_;  // as they were before the turn
  bool only_ticks_ = false;
  const std::vector<TableMessageFault>* table_faults_ = nullptr;
  int64_t watermark_;
};

}  // namespace rivulet
