// MadeRecords: records that a keyed step makes itself, because time has passed and no record came. They go
// through the steps behind it like any.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/record_batch.h"
#include "operators/key/key_codec.h"

namespace rivulet {

// Where a record that W has caused stands: behind all that came before W passed it.
inline constexpr uint64_t kBehindRecords = std::numeric_limits<uint64_t>::max();

struct MadeRecords {
  RecordBatch batch;
  KeyColumn keys;
  std::vector<int64_t> watermark;   // by row: W that it meets, us; never falls
  std::vector<uint64_t> position;   // by row: of the record that has caused it in the turn, or kBehindRecords
  std::vector<uint32_t> rows;       // all of them

  bool empty() const { return rows.empty(); }
  void Clear(uint32_t columns) {
    batch.Reset(columns, batch.capacity());
    keys.refs.clear();
    keys.hashes.clear();
    keys.arena.clear();
    watermark.clear();
    position.clear();
    rows.clear();
  }
  // A row whose fields are null yet. `raw` stands for the bytes that a received record has.
  uint32_t Add(std::string_view key, uint64_t hash, int64_t time, int64_t met, uint64_t where,
               std::string_view raw) {
    batch.EnsureRoom();
    const uint32_t row = batch.rows++;
    batch.event_time[row] = time;
    batch.raw[row] = batch.kept.Keep(raw);
    keys.refs.push_back({static_cast<uint32_t>(keys.arena.size()), static_cast<uint32_t>(key.size())});
    keys.hashes.push_back(hash);
    keys.arena.insert(keys.arena.end(), key.begin(), key.end());
    watermark.push_back(met);
    position.push_back(where);
    rows.push_back(row);
    return row;
  }
};

}  // namespace rivulet
