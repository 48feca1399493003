// Reads the `join` step.
#pragma once

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Fills `step->what`. Reports every fault; what is missing stays at its default.
void ReadJoin(const Setting& setting, Faults* faults, Step* step);

}  // namespace rivulet
