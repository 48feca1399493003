// Dedup: drops records that were seen before. Under a record's key and the hash of its values (XXH3, 128
// bits: two different values are as good as never taken for one) it remembers the time of the latest record
// let through.
#include <cstring>

#include "base/coding.h"
#include "base/hash.h"
#include "operators/keyed/keyed_step.h"

namespace rivulet {
namespace {

class Dedup final : public KeyedStep {
 public:
  Dedup(const DedupSpec* spec, KeyedTableOptions options, const StateView* view, KeyShare share)
      : KeyedStep(std::move(options), view, share), spec_(spec) {}

  void Process(const KeyedInput& input, std::vector<uint32_t>* rows, StepScratch*,
               std::vector<RowError>* errors) override {
    for (const uint32_t column : spec_->columns) {
      CheckIdentity(input.batch->columns[column], "a value that 'dedup' goes by", rows, errors);
    }
    size_t kept = 0;
    for (const uint32_t row : *rows) {
      const bool seen = Name(input, row) && Seen(input.batch->event_time[row], input.watermark[row]);
      (*rows)[kept] = row;
      kept += seen ? 0 : 1;
    }
    duplicates_ += rows->size() - kept;
    rows->resize(kept);
  }

 private:
  // Puts into name_ what the record is known by; false when one of its values is null, which equals nothing.
  bool Name(const KeyedInput& input, uint32_t row) {
    values_.assign(input.keys->Key(row));
    for (const uint32_t column : spec_->columns) {
      const Column& values = input.batch->columns[column];
      if (values.is_null(row)) return false;
      AppendKeyValue(&values_, values.Get(row));
    }
    if (spec_->columns.empty()) AppendRecord(*input.source, row);
    name_.clear();
    PutFixed(&name_, input.keys->hashes[row]);
    const Hash128 hash = Hash128Of(values_);
    PutFixed(&name_, hash.low);
    PutFixed(&name_, hash.high);
    return true;
  }

  // The record as received. One made of an element is its place in the whole record.
  void AppendRecord(const RecordBatch& records, uint32_t row) {
    if (records.element(row) == 0) {
      values_.append(records.raw[row]);
      return;
    }
    PutFixed(&values_, records.elements[row].whole);
    PutFixed(&values_, records.elements[row].number);
  }

  // Whether what name_ says was let through less than `within` from `time`; if not, it now is.
  bool Seen(int64_t time, int64_t watermark) {
    KeyedEntry* entry = table_.Access(name_, Hash64(name_), time, watermark);
    std::string_view value = entry->value();
    int64_t latest = time;
    if (!value.empty()) {
      if (!GetFixed(&value, &latest) || !value.empty()) {
        table_.FailCorrupt("what a dedup step has stored cannot be read");
      } else if (Distance(time, latest) < static_cast<uint64_t>(spec_->within_us)) {
        return true;
      }
    }
    value_.clear();
    PutFixed(&value_, std::max(latest, time));
    table_.Put(entry, value_, time, watermark);
    return false;
  }

  static uint64_t Distance(int64_t a, int64_t b) {
    const auto [less, more] = std::minmax(a, b);
    return static_cast<uint64_t>(more) - static_cast<uint64_t>(less);
  }

  const DedupSpec* spec_;
  std::string values_, name_, value_;  // scratch
};

}  // namespace

std::unique_ptr<KeyedStep> NewDedup(const DedupSpec* spec, KeyedTableOptions options,
                                    const StateView* view, KeyShare share) {
  options.starts_with_owner = true;
  return std::make_unique<Dedup>(spec, std::move(options), view, share);
}

}  // namespace rivulet
