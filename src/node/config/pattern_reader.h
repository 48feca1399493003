// Reads the map behind `pattern:`.
#pragma once

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// All but its fields. Reports every fault; what is missing stays at its default.
PatternStep ReadPattern(const Setting& setting, Faults* faults);

}  // namespace rivulet
