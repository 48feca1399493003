#include "node/engine/message_table.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/coding.h"
#include "base/hash.h"
#include "base/types.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

// Puts the values that `from` names, by place in the stored row, into the order of the plan; those that were
// not stored are null.
bool TranslateRow(std::string_view row, size_t stored, const std::vector<uint32_t>& from, std::string* out) {
  std::vector<Value> values(stored);
  for (Value& value : values) {
    if (!GetValue(&row, &value)) return false;
  }
  out->clear();
  for (const uint32_t place : from) PutValue(out, place < stored ? values[place] : Value::Null());
  return row.empty();
}

}  // namespace

MessageTable::MessageTable(const TablePlan* plan, std::string prefix, const StateView* view)
    : plan_(plan),
      prefix_(std::move(prefix)),
      view_(view),
      source_(plan->source.get(), 1, std::numeric_limits<int64_t>::min()) {
  removed_.Reset(plan_->columns(), 1);
}

std::string MessageTable::Signature(const TablePlan& plan) {
  std::string text = plan.name + "\n";
  for (const uint32_t column : plan.layout.key) text += plan.layout.columns[column] + "\n";
  return text + (plan.versioned() ? "versions of " + plan.layout.columns[*plan.layout.valid_from] : "");
}

Status MessageTable::ReadColumns(std::vector<std::string>* columns) const {
  std::string value;
  RIVULET_ASSIGN_OR_RETURN(const bool found, view_->Get(prefix_, &value));
  std::string_view in = value, name;
  while (found && GetBytes(&in, &name)) columns->emplace_back(name);
  if (in.empty()) return Status::Ok();
  return {ErrorCode::kCorrupt, "the stored columns of table '" + plan_->name + "' are damaged"};
}

Status MessageTable::Open() {
  std::vector<std::string> stored;
  RIVULET_RETURN_IF_ERROR(ReadColumns(&stored));
  fresh_ = stored.empty();
  stored_columns_ = stored == plan_->layout.columns;
  std::vector<uint32_t> from;
  for (const std::string& name : plan_->layout.columns) {
    const auto at = std::find(stored.begin(), stored.end(), name);
    from.push_back(static_cast<uint32_t>(at - stored.begin()));
  }
  Status status;
  const size_t prefix = prefix_.size();
  RIVULET_RETURN_IF_ERROR(view_->Scan(
      prefix_ + '\0', AfterPrefix(prefix_), [&](std::string_view key, std::string_view value) {
        key.remove_prefix(prefix);
        if (ReadRow(key, value, stored_columns_ ? nullptr : &from, stored.size())) return true;
        status = Status(ErrorCode::kCorrupt, "the stored row of table '" + plan_->name + "' with the key " +
                                                 DescribeKey(key) + " is damaged");
        return false;
      }));
  std::vector<std::string> all;
  rows_.Settle(1, &all);
  if (!stored_columns_) changed_ = std::move(all);
  return status;
}

// `from`: how to translate a row of `stored` values; null: not at all.
bool MessageTable::ReadRow(std::string_view key, std::string_view value, const std::vector<uint32_t>* from,
                           size_t stored) {
  uint64_t count = 0;
  if (!GetVarint(&value, &count) || count == 0 || count > LookupTable::kMaxVersions) return false;
  const uint64_t hash = Hash64(key);
  std::string translated;
  for (uint64_t i = 0; i < count; ++i) {
    int64_t valid_from = 0;
    std::string_view row;
    if (!GetSignedVarint(&value, &valid_from) || !GetBytes(&value, &row)) return false;
    if (from == nullptr && !IsTableRow(row, plan_->columns())) return false;
    if (from != nullptr && !TranslateRow(row, stored, *from, &translated)) return false;
    if (!rows_.Put(key, hash, valid_from, 0, from == nullptr ? std::string(row) : translated)) return false;
  }
  return value.empty();
}

void MessageTable::Fault(const InputMessage& message, const Status& status,
                         std::vector<DecodeError>* faults) {
  ++faults_;
  faults->push_back({message.payload.offset, status.code(),
                     "table '" + plan_->name + "': " + status.message(), message.payload.payload});
}

void MessageTable::Apply(const InputMessage& message, std::vector<DecodeError>* faults) {
  const std::string_view payload = message.payload.payload;
  const bool empty = payload.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (empty && !message.topic.empty()) return Remove(message, faults);
  InputMessage record = message;
  record.kind = InputMessage::Kind::kRecord;
  source_.Decode(0, {&record, 1});
  SourceSlot& slot = source_.slot(0);
  for (const DeadLetter& d : slot.dead) Fault(message, {d.code, d.detail}, faults);
  for (uint32_t row = 0; row < slot.batch.rows; ++row) Put(&slot.batch, row, message, faults);
}

// An empty message, which is also what removes a retained one from the broker: its key is in the topic, or
// nowhere.
void MessageTable::Remove(const InputMessage& message, std::vector<DecodeError>* faults) {
  removed_.Reset(plan_->columns(), 1);
  std::vector<std::string_view> captures;
  for (const TopicPattern& pattern : plan_->source->topics) {
    if (!pattern.Match(message.topic, &captures)) continue;
    for (size_t i = 0; i < captures.size(); ++i) {
      removed_.columns[plan_->Find(pattern.names()[i])].SetString(0, captures[i]);
    }
    break;
  }
  const Status status = TakeTableKey(plan_->layout, removed_, 0, &row_);
  if (status.ok()) return rows_.Remove(row_.key, row_.hash, message.payload.offset);
  Fault(message, {ErrorCode::kMissingField,
                  "an empty message removes the row of its topic, but the key is not made of levels of the "
                  "topic"},
        faults);
}

void MessageTable::Put(RecordBatch* batch, uint32_t row, const InputMessage& message,
                       std::vector<DecodeError>* faults) {
  Status status = message.removes ? TakeTableKey(plan_->layout, *batch, row, &row_)
                                  : TakeTableRow(plan_->layout, batch, row, &row_);
  if (status.ok() && message.removes) return rows_.Remove(row_.key, row_.hash, message.payload.offset);
  if (status.ok() && rows_.keys() >= plan_->rows && !rows_.Has(row_.key, row_.hash)) {
    status = Status(ErrorCode::kTableFull, "it has " + std::to_string(plan_->rows) +
                                               " keys; remove some, or raise 'rows' of the table");
  }
  if (!status.ok()) return Fault(message, status, faults);
  rows_.Put(row_.key, row_.hash, row_.valid_from_us, message.payload.offset, row_.values);
}

void MessageTable::Settle(uint64_t end) {
  rows_.Settle(end, &changed_);
  if (changed_.size() >= repeats_at_) DropRepeats();
}

void MessageTable::DropRepeats() {
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  repeats_at_ = std::max<size_t>(1024, changed_.size() * 2);
}

void MessageTable::Forget(int64_t watermark_us) {
  if (plan_->versioned()) rows_.Forget(SaturatingSub(watermark_us, plan_->keep_us), &changed_);
}

void MessageTable::CollectChanges(StateChanges* changes) {
  if (!stored_columns_) {
    std::string names;
    for (const std::string& name : plan_->layout.columns) PutBytes(&names, name);
    changes->Put(prefix_, names);
    stored_columns_ = true;
  }
  DropRepeats();
  for (const std::string& key : changed_) {
    std::string versions;
    uint64_t count = 0;
    rows_.ForEachVersion(key, Hash64(key), [&](int64_t valid_from, std::string_view row) {
      PutSignedVarint(&versions, valid_from);
      PutBytes(&versions, row);
      ++count;
    });
    if (count == 0) {
      changes->Delete(prefix_ + key);
      continue;
    }
    std::string value;
    PutVarint(&value, count);
    changes->Put(prefix_ + key, value + versions);
  }
  changed_.clear();
}

}  // namespace rivulet
