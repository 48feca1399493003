// Reads the `join` step of two streams.
#pragma once

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Reports every fault; what is missing stays at its default.
StreamJoinStep ReadStreamJoin(const Setting& setting, Faults* faults);

}  // namespace rivulet
