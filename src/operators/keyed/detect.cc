// Detect: follows one condition of each key, and lets records through at which it begins or ends.
//
// The spread of `anomaly` is an exponentially weighted mean and variance (T. Finch, "Incremental calculation
// of weighted mean and variance", 2009), with equal weights as long as there are fewer values than it spans.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/types.h"
#include "operators/keyed/detector_state.h"
#include "operators/keyed/keyed_step.h"

namespace rivulet {
namespace {

// Longest text that is compared: one is held for every key.
constexpr size_t kLongestText = 4096;

bool IsTrue(const Value& v) { return v.type == Type::kBool && v.b; }

class Detect final : public KeyedStep {
 public:
  Detect(const DetectSpec* spec, KeyedTableOptions options, const StateView* view, KeyShare share)
      : KeyedStep(std::move(options), view, share), spec_(spec) {}

  void Process(const KeyedInput& input, std::vector<uint32_t>* rows, StepScratch* scratch,
               std::vector<RowError>* errors) override {
    if (spec_->of) Evaluate(*spec_->of, input.batch, rows, scratch, errors);
    if (spec_->limit) Evaluate(*spec_->limit, input.batch, rows, scratch, errors);
    size_t kept = 0;
    for (const uint32_t row : *rows) {
      (*rows)[kept] = row;
      kept += ProcessRow(input, row) || spec_->all ? 1 : 0;
    }
    rows->resize(kept);
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

  // Whether the detector says something at this record.
  bool ProcessRow(const KeyedInput& input, uint32_t row) {
    const int64_t watermark = input.watermark[row];
    const int64_t time = input.batch->event_time[row];
    KeyedEntry* entry = table_.Access(input.keys->Key(row), input.keys->hashes[row], time, watermark);
    state_.Clear();
    if (!entry->value().empty() && !state_.Decode(entry->value())) {
      table_.FailCorrupt("what a detect step has stored cannot be read");
      return false;
    }
    says_ = {state_.active, state_.active, state_.start, false};
    score_ = std::numeric_limits<double>::quiet_NaN();
    // A record older than the newest one moves nothing.
    if (state_.fresh || time >= state_.newest) {
      Follow(*input.batch, row, time);
      state_.newest = time;
      state_.fresh = false;
    }
    bytes_.clear();
    state_.Encode(&bytes_);
    table_.Put(entry, bytes_, time, watermark);
    Write(input.batch, row);
    return says_.changed;
  }

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

std::unique_ptr<KeyedStep> NewDetect(const DetectSpec* spec, KeyedTableOptions options,
                                     const StateView* view, KeyShare share) {
  return std::make_unique<Detect>(spec, std::move(options), view, share);
}

}  // namespace rivulet
