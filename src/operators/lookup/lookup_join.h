// LookupJoin: the step `join` with a reference table: finds each record's row and makes columns of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/record_batch.h"
#include "operators/key/key_codec.h"
#include "operators/lookup/lookup_table.h"

namespace rivulet {

// A pipeline's tables as a turn sees them, and what of a record decides which version it gets. The arrays
// are by row of the batch the join runs over. Set before a chain with joins runs; one thread's.
struct LookupContext {
  struct Table {
    const LookupTable* rows = nullptr;
    // Versions that were followed by another this long before W may be forgotten, so records older than that
    // see what held then.
    int64_t keep_us = 0;
  };
  const std::vector<Table>* tables = nullptr;
  const int64_t* event_time = nullptr;  // us
  const int64_t* watermark = nullptr;   // W just before the record, us
  const uint64_t* offset = nullptr;     // of the record's message in the log
  std::string key;                      // scratch
};

// Immutable once built; any number of threads may run it.
struct LookupJoin {
  struct Key {
    uint32_t column;      // of the batch
    bool untyped = false; // the table's column knows no types: text that reads as a number is that number
  };
  struct Take {
    uint32_t value;       // of the row
    uint32_t column;      // of the batch
  };
  static constexpr int64_t kKeepAll = INT64_MAX;

  uint32_t table = 0;        // of the pipeline
  std::vector<Key> keys;     // in the order of the table's key columns
  std::vector<Take> take;    // in order of `value`
  bool inner = true;         // records without a row go

  // Fills the columns for `rows`, ascending; those that go leave it.
  void Run(RecordBatch* batch, std::vector<uint32_t>* rows, LookupContext* context) const;

 private:
  bool EncodeKey(const RecordBatch& batch, uint32_t row, std::string* key) const;
};

// The value that a cell or a record's text stands for in a column without types: a number when it reads as
// one and has no zeros in front, which mark an identifier.
Value UntypedValue(std::string_view text);

}  // namespace rivulet
