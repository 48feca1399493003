// Detect: follows one condition of each key, and lets records through at which it begins or ends.
//
// A condition that has to hold for a while holds from record to record: it is over at `due` = where it became
// true + `for`, unless a record up to `due` says otherwise. That is known when W is behind `due`, or when the
// key has a later record. A key whose records are late is given as much longer as its last one was late by:
// else the first record of what a device sends afterwards would be an episode, whatever comes behind it.
// What then goes on is the key's last record once more, at the time `due`; of that are kept the fields that
// are read behind this step (name's hash, value; see value_codec.h).
//
// The spread of `anomaly` is an exponentially weighted mean and variance (T. Finch, "Incremental calculation
// of weighted mean and variance", 2009), with equal weights as long as there are fewer values than it spans.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/hash.h"
#include "base/types.h"
#include "operators/keyed/detector_state.h"
#include "operators/keyed/keyed_step.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

// Longest text that is compared: one is held for every key.
constexpr size_t kLongestText = 4096;
// Records made at once.
constexpr size_t kMadeRecords = 1024;

bool IsTrue(const Value& v) { return v.type == Type::kBool && v.b; }

class Detect final : public TimedStep {
 public:
  Detect(const DetectSpec* spec, uint32_t columns, KeyedTableOptions options, const StateView* view,
         KeyShare share)
      : TimedStep(std::move(options), view, share), spec_(spec), columns_(columns) {
    made_.Clear(columns_);
  }

  void Process(const KeyedInput& input, std::vector<uint32_t>* rows, StepScratch* scratch,
               std::vector<RowError>* errors) override {
    if (spec_->of) Evaluate(*spec_->of, input.batch, rows, scratch, errors);
    if (spec_->limit) Evaluate(*spec_->limit, input.batch, rows, scratch, errors);
  }

  bool Resume(const KeyedInput& input, const std::vector<uint32_t>& rows, size_t* next,
              std::vector<uint32_t>* passed) override {
    if (!made_.empty()) made_.Clear(columns_);
    for (; *next < rows.size(); ++*next) {
      const uint32_t row = rows[*next];
      const int64_t watermark = input.watermark[row];
      while (table_.next_wake() <= watermark) {
        const bool more = Fire({watermark, true, ""});
        if (!made_.empty()) return false;
        if (!more) break;
      }
      if (ProcessRow(input, row) || spec_->all) {
        if (!made_.empty()) return false;
        passed->push_back(row);
      }
    }
    return true;
  }

  bool Fire(const FirePoint& point) override {
    if (!made_.empty()) made_.Clear(columns_);
    while (KeyedEntry* entry = table_.NextWake(point)) {
      if (!Load(entry)) return false;
      if (spec_->by_time && state_.wake < Due()) {
        state_.wake = Due();  // `for` has become longer meanwhile
      } else {
        Ring(entry, state_.wake, kBehindRecords);
      }
      Store(entry);
      if (made_.rows.size() >= kMadeRecords) return true;
    }
    return !made_.empty();
  }

 private:
  void Evaluate(const DetectInput& what, RecordBatch* batch, std::vector<uint32_t>* rows,
                StepScratch* scratch, std::vector<RowError>* errors) const {
    const size_t first_error = errors->size();
    Column* column = &batch->columns[what.column];
    if (what.program.column() < 0) {
      const bool all = rows->size() == batch->rows;
      what.program.Evaluate(*batch,
                            {all ? nullptr : rows->data(), static_cast<uint32_t>(rows->size())},
                            &scratch->context, column, errors);
      RemoveFailedRows(*errors, first_error, rows);
    }
    const TypeMask text = static_cast<TypeMask>(what.accepts & MaskOf(Type::kString));
    if ((column->seen() & ~(what.accepts | MaskOf(Type::kNull))) == 0 && (column->seen() & text) == 0) {
      return;
    }
    const size_t first_wrong = errors->size();
    for (const uint32_t row : *rows) {
      const Type type = column->type(row);
      if (type == Type::kNull) continue;
      if ((MaskOf(type) & what.accepts) == 0) {
        errors->push_back({row, ErrorCode::kEvaluation,
                           "'" + what.program.canonical() + "' in detect '" + spec_->name +
                               "' is a " + std::string(TypeName(type))});
      } else if (type == Type::kString && column->String(row).size() > kLongestText) {
        errors->push_back({row, ErrorCode::kRecordTooLarge,
                           "a text of " + std::to_string(column->String(row).size()) +
                               " bytes cannot be remembered for detect '" + spec_->name +
                               "', at most " + std::to_string(kLongestText) + " can"});
      }
    }
    RemoveFailedRows(*errors, first_wrong, rows);
  }

  bool Load(KeyedEntry* entry) {
    state_.Clear();
    if (entry->value().empty() || state_.Decode(entry->value())) return true;
    table_.FailCorrupt("what a detect step has stored cannot be read");
    return false;
  }

  void Store(KeyedEntry* entry) {
    bytes_.clear();
    state_.Encode(&bytes_);
    table_.Replace(entry, bytes_);
  }

  // Whether the detector says something at this record; or of the time before it: then it has made a record,
  // and this one is still to be processed.
  bool ProcessRow(const KeyedInput& input, uint32_t row) {
    const int64_t watermark = input.watermark[row];
    const int64_t time = input.batch->event_time[row];
    KeyedEntry* entry = table_.Find(input.keys->Key(row), input.keys->hashes[row]);
    if (DetectorState::Waits(entry->value())) {
      if (!Load(entry)) return false;
      if (time > Due() || watermark > std::max(state_.wake, Due())) {
        Ring(entry, watermark, input.Position(row));
        Store(entry);
        if (!made_.empty()) return true;
      }
    }
    table_.ForgetIfOver(entry, time, watermark);
    if (!Load(entry)) return false;
    says_ = {state_.active, state_.active, state_.start, false};
    score_ = std::numeric_limits<double>::quiet_NaN();
    // A record older than the newest one moves nothing.
    const bool moves = state_.fresh || time >= state_.newest;
    if (moves) {
      Follow(*input.batch, row, time);
      state_.newest = time;
      state_.fresh = false;
    }
    Write(input.batch, row);
    if (moves) Wait(*input.batch, row, watermark, table_.OverAt(*entry, time, watermark));
    bytes_.clear();
    state_.Encode(&bytes_);
    table_.Put(entry, bytes_, time, watermark);
    return says_.changed;
  }

  // --- time ---

  bool stuck() const { return spec_->kind == DetectSpec::Kind::kStuck; }
  int64_t Begins() const { return stuck() ? state_.since : state_.start; }
  int64_t Due() const { return SaturatingAdd(Begins(), spec_->hold_us); }

  // Behind a record that met W = `watermark`. A key that is over before has nothing to wait for.
  void Wait(const RecordBatch& batch, uint32_t row, int64_t watermark, int64_t over) {
    const bool holds = stuck() ? state_.has_value && !state_.active : state_.pending;
    const int64_t late = watermark > state_.newest ? watermark - state_.newest : 0;
    state_.wake = SaturatingAdd(Due(), late);
    state_.waits = spec_->by_time && holds && state_.wake < over;
    state_.timed = state_.waits && !spec_->all;
    state_.carried.clear();
    if (!state_.timed) return;
    for (const DetectSpec::Carried& field : spec_->carried) {
      const Column& column = batch.columns[field.column];
      if (column.is_null(row)) continue;
      PutFixed(&state_.carried, field.name);
      PutValue(&state_.carried, column.Get(row));
    }
  }

  // The time that state_ waits for has come, as W = `met` or a record at `position` says.
  void Ring(const KeyedEntry* entry, int64_t met, uint64_t position) {
    const int64_t due = Due();
    state_.waits = false;
    const bool makes = std::exchange(state_.timed, false) && spec_->by_time && !spec_->all;
    if (spec_->by_time) {
      state_.active = true;
      state_.pending = false;
      state_.start = Begins();
    }
    if (makes) Make(entry, std::max(due, state_.newest), met, position);
    state_.carried.clear();
  }

  void Make(const KeyedEntry* entry, int64_t time, int64_t met, uint64_t position) {
    bytes_.assign(spec_->name);
    PutFixed(&bytes_, time);
    const uint32_t row = made_.Add(entry->key(), entry->hash, time, met, position, bytes_);
    std::string_view carried = state_.carried;
    uint32_t name = 0;
    Value value;
    while (GetFixed(&carried, &name) && GetValue(&carried, &value)) {
      for (const DetectSpec::Carried& field : spec_->carried) {
        if (field.name == name) made_.batch.columns[field.column].Set(row, value);
      }
    }
    for (const EventTimeColumn& at : spec_->event_times) at.Set(row, &made_.batch);
    says_ = {true, true, state_.start, true};
    score_ = std::numeric_limits<double>::quiet_NaN();
    Write(&made_.batch, row);
  }

  // --- records ---

  void Follow(const RecordBatch& batch, uint32_t row, int64_t time) {
    const Value of = spec_->of ? batch.columns[spec_->of->column].Get(row) : Value::Null();
    const Value limit = spec_->limit ? batch.columns[spec_->limit->column].Get(row) : Value::Null();
    switch (spec_->kind) {
      case DetectSpec::Kind::kWhen: return FollowCondition(of, limit, time);
      case DetectSpec::Kind::kChange: return FollowChange(of, limit, time);
      case DetectSpec::Kind::kStuck: return FollowStuck(of, time);
      case DetectSpec::Kind::kAnomaly: return FollowAnomaly(of, limit, time);
      case DetectSpec::Kind::kGap:
        if (!state_.fresh && time - state_.newest > spec_->hold_us) {
          says_ = {true, true, state_.newest, true};
        }
        return;
    }
  }

  // Null decides nothing, here and below.
  void FollowCondition(const Value& when, const Value& until, int64_t time) {
    const bool ends = spec_->limit ? IsTrue(until) : when.type == Type::kBool && !when.b;
    if (state_.active) {
      if (ends) End();
    } else if (!when.is_null()) {
      Begin(IsTrue(when), time);
    }
  }

  // The condition of an episode that is not going on is `holds` at `time`.
  void Begin(bool holds, int64_t time) {
    if (!holds) {
      state_.pending = false;
      return;
    }
    if (!state_.pending) state_.start = time;
    state_.pending = time - state_.start < spec_->hold_us;
    if (state_.pending) return;
    state_.active = true;
    says_ = {true, true, state_.start, true};
  }

  void End() {
    state_.active = false;
    says_ = {false, true, state_.start, true};
  }

  void Remember(const Value& value, int64_t time) {
    state_.value.clear();
    AppendKeyValue(&state_.value, value);
    state_.has_value = true;
    state_.since = time;
  }

  // Compared with the value last let through.
  void FollowChange(const Value& value, const Value& by, int64_t time) {
    if (value.is_null() || (spec_->limit && by.is_null())) return;
    bool differs = true;
    if (state_.has_value) {
      bytes_.clear();
      AppendKeyValue(&bytes_, value);
      differs = bytes_ != state_.value;
      if (differs && spec_->limit) differs = Distance(value) > by.AsFloat();
    }
    if (!differs) return;
    says_ = {true, state_.has_value, state_.since, true};
    Remember(value, time);
  }

  // From the value remembered, which is a number. Ints subtract exactly before they become a float.
  double Distance(const Value& value) {
    std::string_view stored = state_.value;
    Value old;
    if (!NextKeyValue(&stored, &old, &scratch_) || !old.is_number()) {
      return std::numeric_limits<double>::infinity();
    }
    int64_t difference = 0;
    if (value.type == Type::kInt && old.type == Type::kInt &&
        !__builtin_sub_overflow(value.i, old.i, &difference)) {
      return std::fabs(static_cast<double>(difference));
    }
    return std::fabs(value.AsFloat() - old.AsFloat());
  }

  void FollowStuck(const Value& value, int64_t time) {
    if (value.is_null()) return;
    bytes_.clear();
    AppendKeyValue(&bytes_, value);
    if (state_.has_value && bytes_ == state_.value) {
      if (!state_.active && time - state_.since >= spec_->hold_us) {
        state_.active = true;
        state_.start = state_.since;
        says_ = {true, true, state_.start, true};
      }
      return;
    }
    if (state_.active) End();
    Remember(value, time);
  }

  // A value is judged by those before it, and then is one of them.
  void FollowAnomaly(const Value& value, const Value& limit, int64_t time) {
    if (!value.is_number() || limit.is_null()) return;
    const double x = value.AsFloat();
    if (!std::isfinite(x)) return;
    double off = x - state_.mean;
    if (state_.count >= spec_->over) {
      const double deviation = std::sqrt(state_.variance);
      // Without any spread so far, every other value is as far out as can be.
      if (off == 0) {
        score_ = 0;
      } else {
        score_ = deviation == 0 ? std::numeric_limits<double>::infinity() : std::fabs(off) / deviation;
      }
      const bool outside = score_ > limit.AsFloat();
      // One that is outside counts as if it were just at the edge: a spike does not hide the next, and a
      // new level becomes usual in time.
      if (outside && deviation > 0) off = std::copysign(limit.AsFloat() * deviation, off);
      if (state_.active) {
        if (!outside) End();
      } else {
        Begin(outside, time);
      }
    }
    ++state_.count;
    const double weight = std::max(2.0 / (static_cast<double>(spec_->over) + 1.0),
                                   1.0 / static_cast<double>(state_.count));
    const double step = weight * off;
    state_.mean += step;
    state_.variance = (1.0 - weight) * (state_.variance + off * step);
  }

  void Write(RecordBatch* batch, uint32_t row) const {
    batch->columns[spec_->column].SetBool(row, says_.truth);
    if (says_.has_since) {
      batch->columns[spec_->since_column].SetInt(
          row, (says_.since_us - FloorMod(says_.since_us, 1000)) / 1000);
    }
    if (spec_->kind == DetectSpec::Kind::kAnomaly && !std::isnan(score_)) {
      batch->columns[spec_->score_column].SetFloat(row, score_);
    }
  }

  const DetectSpec* spec_;
  const uint32_t columns_;
  // What is said of the record at hand.
  struct Says {
    bool truth = false;
    bool has_since = false;
    int64_t since_us = 0;
    bool changed = false;
  };
  Says says_;
  double score_ = 0;               // NaN: none
  DetectorState state_;            // of the record's key
  std::string bytes_, scratch_;
};

}  // namespace

std::unique_ptr<KeyedStep> NewDetect(const DetectSpec* spec, uint32_t columns, KeyedTableOptions options,
                                     const StateView* view, KeyShare share) {
  options.wake_of = DetectorState::WakeOf;
  return std::make_unique<Detect>(spec, columns, std::move(options), view, share);
}

}  // namespace rivulet
