// TableRow: one row of a reference table on its way from a decoded batch into a LookupTable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "operators/decode/decoder.h"
#include "operators/lookup/lookup_table.h"

namespace rivulet {

// What the columns of a batch of table rows are.
struct TableLayout {
  std::vector<std::string> columns;     // names; column i of the batch is columns[i]
  std::vector<uint32_t> key;            // which of them are the key, in its order
  std::optional<uint32_t> valid_from;   // which is the time of a version
  TimeUnit unit = TimeUnit::kMillis;    // of that time
  std::vector<uint32_t> values;         // which are stored, in their order
};

struct TableRow {
  std::string key;    // encoded
  uint64_t hash = 0;
  int64_t valid_from_us = LookupTable::kAlways;
  std::string values;
};

// Takes row `row` of `batch`; one whose time is null holds from the beginning of time. Errors: kMissingField
// (a part of the key is null), kBadTime, kRecordTooLarge (the key is over kMaxKeyBytes).
Status TakeTableRow(const TableLayout& layout, RecordBatch* batch, uint32_t row, TableRow* out);
// The key alone.
Status TakeTableKey(const TableLayout& layout, const RecordBatch& batch, uint32_t row, TableRow* out);

// Whether the bytes are a row of `count` values.
bool IsTableRow(std::string_view bytes, size_t count);

// "v7" or "v7, 3": an encoded key for messages.
std::string DescribeKey(std::string_view key);

}  // namespace rivulet
