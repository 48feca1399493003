#include "operators/lookup/lookup_join.h"

#include <algorithm>

#include "base/hash.h"
#include "base/types.h"
#include "operators/decode/text_value.h"
#include "base/value_codec.h"

namespace rivulet {
namespace {

void TakeValues(std::string_view row, const std::vector<LookupJoin::Take>& take, uint32_t at,
                RecordBatch* batch) {
  Value value;
  uint32_t number = 0;
  for (const LookupJoin::Take& t : take) {
    // Rows were checked when they were read; what is missing in spite of that is null.
    for (; number <= t.value; ++number) {
      if (!GetValue(&row, &value)) value = Value::Null();
    }
    batch->columns[t.column].Set(at, value);
  }
}

}  // namespace

Value UntypedValue(std::string_view text) {
  Value number;
  if (!decode::HasLeadingZeros(text) && decode::ParseNumber(text, &number)) return number;
  return Value::String(text);
}

// False when a part of it is null, which equals nothing.
bool LookupJoin::EncodeKey(const RecordBatch& batch, uint32_t row, std::string* key) const {
  key->clear();
  for (const Key& k : keys) {
    Value value = batch.columns[k.column].Get(row);
    if (value.is_null()) return false;
    if (k.untyped && value.type == Type::kString) value = UntypedValue(value.s);
    AppendKeyValue(key, value);
  }
  return true;
}

void LookupJoin::Run(RecordBatch* batch, std::vector<uint32_t>* rows, LookupContext* context) const {
  for (const Take& t : take) batch->columns[t.column].Reset(batch->rows);
  const LookupContext::Table& lookup = (*context->tables)[table];
  size_t kept = 0;
  for (const uint32_t row : *rows) {
    std::optional<std::string_view> found;
    if (EncodeKey(*batch, row, &context->key)) {
      int64_t time = context->event_time[row];
      if (lookup.keep_us != kKeepAll) {
        time = std::max(time, SaturatingAdd(context->watermark[row], -lookup.keep_us));
      }
      found = lookup.rows->Find(context->key, Hash64(context->key), time, context->offset[row]);
    }
    if (found) TakeValues(*found, take, row, batch);
    (*rows)[kept] = row;
    kept += found || !inner ? 1 : 0;
  }
  rows->resize(kept);
}

}  // namespace rivulet
