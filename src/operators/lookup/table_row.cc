#include "operators/lookup/table_row.h"

#include "base/hash.h"
#include "base/json_writer.h"
#include "operators/key/key_codec.h"
#include "base/value_codec.h"

namespace rivulet {

Status TakeTableKey(const TableLayout& layout, const RecordBatch& batch, uint32_t row, TableRow* out) {
  out->key.clear();
  for (const uint32_t column : layout.key) {
    const Value value = batch.columns[column].Get(row);
    if (value.is_null()) {
      return {ErrorCode::kMissingField, "key column '" + layout.columns[column] + "' is empty or null"};
    }
    AppendKeyValue(&out->key, value);
  }
  if (out->key.size() > kMaxKeyBytes) {
    return {ErrorCode::kRecordTooLarge, "key is " + std::to_string(out->key.size()) +
                                            " bytes long, at most " + std::to_string(kMaxKeyBytes) +
                                            " are possible"};
  }
  out->hash = Hash64(out->key);
  return Status::Ok();
}

Status TakeTableRow(const TableLayout& layout, RecordBatch* batch, uint32_t row, TableRow* out) {
  RIVULET_RETURN_IF_ERROR(TakeTableKey(layout, *batch, row, out));
  out->valid_from_us = LookupTable::kAlways;
  // Without a time a row holds from the beginning on.
  if (layout.valid_from && !batch->columns[*layout.valid_from].is_null(row)) {
    std::vector<RowError> errors;
    ExtractEventTime(batch, Selection{&row, 1}, *layout.valid_from, layout.unit, &errors);
    if (!errors.empty()) {
      return {errors[0].code, "'valid_from' (" + layout.columns[*layout.valid_from] + "): " +
                                  errors[0].detail};
    }
    out->valid_from_us = batch->event_time[row];
  }
  out->values.clear();
  for (const uint32_t column : layout.values) PutValue(&out->values, batch->columns[column].Get(row));
  return Status::Ok();
}

bool IsTableRow(std::string_view bytes, size_t count) {
  Value value;
  for (size_t i = 0; i < count; ++i) {
    if (!GetValue(&bytes, &value)) return false;
  }
  return bytes.empty();
}

std::string DescribeKey(std::string_view key) {
  std::string text, scratch;
  Value value;
  while (NextKeyValue(&key, &value, &scratch)) {
    if (!text.empty()) text += ", ";
    if (value.type == Type::kString) {
      text += std::string(value.s);
    } else {
      AppendJsonValue(&text, value);
    }
  }
  return text;
}

}  // namespace rivulet
