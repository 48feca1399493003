// Reads the `detect` step.
#pragma once

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Reports every fault; what is missing stays at its default.
DetectStep ReadDetect(const Setting& setting, Faults* faults);

}  // namespace rivulet
