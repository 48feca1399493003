// EventTimeColumn: the event times of records as a column, where expressions ask for them. What a batch says
// in `event_time` is the time that windows go by, so it is filled from that alone.
#pragma once

#include <cstdint>

#include "base/record_batch.h"
#include "base/types.h"

namespace rivulet {

struct EventTimeColumn {
  uint32_t column;
  int64_t unit_us;  // of its values; a time within a unit is that unit's beginning

  void Set(uint32_t row, RecordBatch* batch) const {
    const int64_t time = batch->event_time[row];
    batch->columns[column].SetInt(row, (time - FloorMod(time, unit_us)) / unit_us);
  }
  // The selected rows; all others become null.
  void Fill(Selection rows, RecordBatch* batch) const {
    batch->columns[column].Reset(batch->rows);
    for (uint32_t k = 0; k < rows.count; ++k) Set(rows[k], batch);
  }
};

}  // namespace rivulet
