// History: fills the columns of prev, changed and since. What is remembered of a key is, call by call:
//   prev      how many values (1 byte), then those of the last records, the oldest first
//   changed   the last value, as part of a key is written (key_codec.h): equal values have equal bytes
//   since     whether the condition was ever true (1 byte), the latest time at which (8 bytes)
// behind one byte that is 1.
#include <algorithm>

#include "base/coding.h"
#include "operators/keyed/keyed_step.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

constexpr char kFirstByte = 1;
// Longest text that is remembered: memory for one is held for every key.
constexpr size_t kLongestText = 4096;

class History final : public KeyedStep {
 public:
  History(const HistorySpec* spec, KeyedTableOptions options, const StateView* view, KeyShare share)
      : KeyedStep(std::move(options), view, share), spec_(spec) {}

  void Process(const KeyedInput& input, std::vector<uint32_t>* rows, StepScratch* scratch,
               std::vector<RowError>* errors) override {
    RecordBatch& batch = *input.batch;
    for (const HistoryItem& item : spec_->items) {
      const size_t first_error = errors->size();
      Column* argument = &batch.columns[item.argument_column];
      if (item.argument.column() < 0) {
        const bool all = rows->size() == batch.rows;
        item.argument.Evaluate(batch,
                               {all ? nullptr : rows->data(), static_cast<uint32_t>(rows->size())},
                               &scratch->context, argument, errors);
        RemoveFailedRows(*errors, first_error, rows);
      }
      CheckArgument(item, *argument, rows, errors);
    }
    for (const uint32_t row : *rows) ProcessRow(input, row);
  }

 private:
  void CheckArgument(const HistoryItem& item, const Column& argument, std::vector<uint32_t>* rows,
                     std::vector<RowError>* errors) const {
    const bool since = item.function == expr::HistoryFunction::kSince;
    const TypeMask suspects = static_cast<TypeMask>(
        since ? kAnyType & ~MaskOf(Type::kBool) & ~MaskOf(Type::kNull) : MaskOf(Type::kString));
    if ((argument.seen() & suspects) == 0) return;
    const size_t first_error = errors->size();
    for (const uint32_t row : *rows) {
      const Type type = argument.type(row);
      if ((MaskOf(type) & suspects) == 0) continue;
      if (since) {
        errors->push_back({row, ErrorCode::kEvaluation,
                           "since: the condition is a " + std::string(TypeName(type))});
      } else if (argument.String(row).size() > kLongestText) {
        errors->push_back({row, ErrorCode::kRecordTooLarge,
                           "a text of " + std::to_string(argument.String(row).size()) +
                               " bytes cannot be remembered for prev or changed, at most " +
                               std::to_string(kLongestText) + " can"});
      }
    }
    RemoveFailedRows(*errors, first_error, rows);
  }

  void ProcessRow(const KeyedInput& input, uint32_t row) {
    const int64_t watermark = input.watermark[row];
    const int64_t time = input.batch->event_time[row];
    KeyedEntry* entry = table_.Access(input.keys->Key(row), input.keys->hashes[row], time, watermark);
    std::string_view before = entry->value();
    const bool first = before.empty();
    bool readable = first || before[0] == kFirstByte;
    if (!first) before.remove_prefix(1);
    next_.assign(1, kFirstByte);
    for (const HistoryItem& item : spec_->items) {
      Column* out = &input.batch->columns[item.column];
      const Value value = input.batch->columns[item.argument_column].Get(row);
      switch (item.function) {
        case expr::HistoryFunction::kPrev:
          readable = readable && Prev(item, first, value, row, &before, out);
          break;
        case expr::HistoryFunction::kChanged:
          readable = readable && Changed(first, value, row, &before, out);
          break;
        case expr::HistoryFunction::kSince:
          readable = readable && Since(first, value, time, row, &before, out);
          break;
      }
    }
    if (!readable || !before.empty()) {
      table_.FailCorrupt("the stored history of a key cannot be read");
      return;
    }
    table_.Put(entry, next_, time, watermark);
  }

  bool Prev(const HistoryItem& item, bool first, const Value& value, uint32_t row,
            std::string_view* before, Column* out) {
    uint8_t count = 0;
    if (!first && (!GetFixed(before, &count) || count > item.records)) return false;
    const bool full = count == item.records;
    next_.push_back(static_cast<char>(full ? count : count + 1));
    Value old;
    for (uint8_t i = 0; i < count; ++i) {
      if (!GetValue(before, &old)) return false;
      if (i == 0 && full) {
        out->Set(row, old);
      } else {
        PutValue(&next_, old);
      }
    }
    PutValue(&next_, value);
    return true;
  }

  bool Changed(bool first, const Value& value, uint32_t row, std::string_view* before, Column* out) {
    std::string_view old;
    if (!first && !GetBytes(before, &old)) return false;
    bytes_.clear();
    AppendKeyValue(&bytes_, value);
    out->SetBool(row, first || old != bytes_);
    PutBytes(&next_, bytes_);
    return true;
  }

  bool Since(bool first, const Value& value, int64_t time, uint32_t row, std::string_view* before,
             Column* out) {
    uint8_t known = 0;
    int64_t latest = time;
    if (!first && (!GetFixed(before, &known) || !GetFixed(before, &latest))) return false;
    const bool now = value.type == Type::kBool && value.b;
    if (now) latest = known != 0 ? std::max(latest, time) : time;
    if (now || known != 0) {
      out->SetInt(row, now ? 0 : std::max<int64_t>(0, SaturatingSub(time, latest)) / 1000);
    }
    next_.push_back(now || known != 0 ? 1 : 0);
    PutFixed(&next_, latest);
    return true;
  }

  const HistorySpec* spec_;
  std::string next_, bytes_;  // scratch
};

}  // namespace

std::unique_ptr<KeyedStep> NewHistory(const HistorySpec* spec, KeyedTableOptions options,
                                      const StateView* view, KeyShare share) {
  return std::make_unique<History>(spec, std::move(options), view, share);
}

}  // namespace rivulet
