// ResultBatch: window results as a record batch, so that steps after a window run like those before it.
//
// Columns: the key fields, window_start and window_end (epoch ms), the aggregates in declared order, then
// whatever later steps set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "operators/aggregate/aggregate_plan.h"
#include "operators/result/result_sink.h"

namespace rivulet {

// What names a result, and where it stands in the order of results.
struct ResultMeta {
  ResultOrder order;
  int64_t start_us;
  int64_t end_us;
  uint32_t revision;
  StringRef key;  // encoded, in ResultBatch::keys
  int64_t identity_us = 0;  // see WindowResult
  bool early = false;
};

struct ResultBatch {
  RecordBatch batch;
  std::vector<ResultMeta> meta;  // by row
  std::vector<char> keys;

  std::string_view Key(uint32_t row) const {
    return {keys.data() + meta[row].key.offset, meta[row].key.length};
  }
  // Appends one result, identified by its start. `key_fields` is how many values the key has.
  void Add(const AggregatePlan& plan, size_t key_fields, const ResultOrder& order,
           std::string_view key, int64_t start_us, int64_t end_us, uint32_t revision,
           const char* block);
  // The same for a result that is a record: `values` at `row` instead of aggregates, its time as both ends.
  void AddRecord(const std::vector<const Column*>& values, uint32_t row, size_t key_fields,
                 const ResultOrder& order, std::string_view key, int64_t time_us);
  // The same for a row of values.
  void AddRow(const RowResult& result, size_t key_fields);
  void Reset(uint32_t columns);

 private:
  // Returns the new row; fills the columns up to window_end.
  uint32_t AddHead(size_t key_fields, const ResultOrder& order, std::string_view key,
                   int64_t start_us, int64_t end_us, uint32_t revision);

  std::string scratch_;
};

// Writes results as flat JSON, but for lists, which are arrays: the key fields, window_start, window_end,
// the fields in order, `revision` only when greater than 0, `early` only when true.
class ResultEncoder {
 public:
  struct Field {
    std::string name;
    uint32_t column;
    bool json = false;  // text in it is JSON already: a list
  };
  explicit ResultEncoder(const std::vector<Field>& fields);
  // Appends one JSON object, no newline.
  void Append(const ResultBatch& results, uint32_t row, std::string* out) const;

 private:
  struct Part {
    std::string lead;  // `{"name":` or `,"name":`
    uint32_t column;
    bool json;
  };
  std::vector<Part> parts_;
};

// The id of a result: 32 hex digits, the same whenever and wherever it is computed.
std::string ResultId(std::string_view pipeline, std::string_view key, int64_t identity_us,
                     uint32_t revision);
// The id all revisions of a window share.
std::string WindowId(std::string_view pipeline, std::string_view key, int64_t identity_us);

}  // namespace rivulet
