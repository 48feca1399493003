// Reads `steps` of a pipeline file: what each step says, not whether it can run.
#pragma once

#include <vector>

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Appends the steps of a list (a single step may stand without one).
void ReadSteps(const Setting& setting, Faults* faults, std::vector<Step>* steps);

// What stands behind `set:` and `where:`, in a step or elsewhere.
SetStep ReadSet(const Setting& setting, Faults* faults);
WhereStep ReadWhere(const Setting& setting, Faults* faults);

}  // namespace rivulet
