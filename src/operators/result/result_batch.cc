#include "operators/result/result_batch.h"

#include "base/coding.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "operators/key/key_codec.h"

namespace rivulet {
namespace {

// us to ms, towards minus infinity, so that times before 1970 keep their order.
int64_t FloorMillis(int64_t us) { return (us - FloorMod(us, 1000)) / 1000; }

std::string IdBytes(std::string_view pipeline, std::string_view key, int64_t identity_us) {
  std::string bytes;
  PutBytes(&bytes, pipeline);
  PutBytes(&bytes, key);
  PutFixed(&bytes, identity_us);
  return bytes;
}

}  // namespace

void ResultBatch::Reset(uint32_t columns) {
  batch.Reset(columns, batch.capacity());
  meta.clear();
  keys.clear();
}

uint32_t ResultBatch::AddHead(size_t key_fields, const ResultOrder& order, std::string_view key,
                              int64_t start_us, int64_t end_us, uint32_t revision) {
  batch.EnsureRoom();
  const uint32_t row = batch.rows++;
  const auto offset = static_cast<uint32_t>(keys.size());
  keys.insert(keys.end(), key.begin(), key.end());
  meta.push_back({order, start_us, end_us, revision, {offset, static_cast<uint32_t>(key.size())},
                  start_us, false});
  size_t column = 0;
  for (; column < key_fields; ++column) {
    Value value;
    if (NextKeyValue(&key, &value, &scratch_)) batch.columns[column].Set(row, value);
  }
  batch.columns[column++].SetInt(row, FloorMillis(start_us));
  batch.columns[column++].SetInt(row, FloorMillis(end_us));
  return row;
}

void ResultBatch::Add(const AggregatePlan& plan, size_t key_fields, const ResultOrder& order,
                      std::string_view key, int64_t start_us, int64_t end_us, uint32_t revision,
                      const char* block) {
  const uint32_t row = AddHead(key_fields, order, key, start_us, end_us, revision);
  batch.event_time[row] = end_us - 1;
  size_t column = key_fields + 2;
  for (size_t i = 0; i < plan.outputs(); ++i) {
    plan.Finish(block, i, &batch.columns[column++], row);
  }
}

void ResultBatch::AddRecord(const std::vector<const Column*>& values, uint32_t from,
                            size_t key_fields, const ResultOrder& order, std::string_view key,
                            int64_t time_us) {
  const uint32_t row = AddHead(key_fields, order, key, time_us, time_us, 0);
  batch.event_time[row] = time_us;
  size_t column = key_fields + 2;
  for (const Column* value : values) batch.columns[column++].Set(row, value->Get(from));
}

void ResultBatch::AddRow(const RowResult& r, size_t key_fields) {
  const uint32_t row = AddHead(key_fields, r.order, r.key, r.start_us, r.end_us, 0);
  batch.event_time[row] = r.end_us;
  size_t column = key_fields + 2;
  for (size_t i = 0; i < r.count; ++i) batch.columns[column++].Set(row, r.values[i]);
}

ResultEncoder::ResultEncoder(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    std::string lead = parts_.empty() ? "{" : ",";
    AppendJsonString(&lead, field.name);
    lead += ':';
    parts_.push_back({lead, field.column, field.json});
  }
}

void ResultEncoder::Append(const ResultBatch& results, uint32_t row, std::string* out) const {
  for (const Part& part : parts_) {
    out->append(part.lead);
    const Value value = results.batch.columns[part.column].Get(row);
    if (part.json && value.type == Type::kString) {
      out->append(value.s);
    } else {
      AppendJsonValue(out, value);
    }
  }
  if (results.meta[row].revision > 0) {
    out->append(",\"revision\":");
    AppendJsonInt(out, results.meta[row].revision);
  }
  if (results.meta[row].early) out->append(",\"early\":true");
  out->push_back('}');
}

std::string ResultId(std::string_view pipeline, std::string_view key, int64_t identity_us,
                     uint32_t revision) {
  std::string bytes = IdBytes(pipeline, key, identity_us);
  PutFixed(&bytes, revision);
  return Hash128Hex(bytes);
}

std::string WindowId(std::string_view pipeline, std::string_view key, int64_t identity_us) {
  return Hash128Hex(IdBytes(pipeline, key, identity_us));
}

}  // namespace rivulet
