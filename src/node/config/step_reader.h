// Reads `steps` of a pipeline file: what each step says, not whether it can run.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Appends the steps of a list (a single step may stand without one).
void ReadSteps(const Setting& setting, Faults* faults, std::vector<Step>* steps);

// What stands behind `set:` and `where:`, in a step or elsewhere.
SetStep ReadSet(const Setting& setting, Faults* faults);
WhereStep ReadWhere(const Setting& setting, Faults* faults);
// `[a, b]`, `{ a: x }`, or a list of both; each name once. Without a value the second text is empty. `name`
// is the setting's; the others say what was expected.
void ReadNamesOrPairs(const Setting& setting, std::string_view name, std::string_view expected,
                      std::string_view value_expected, Faults* faults,
                      std::vector<std::pair<MarkedText, MarkedText>>* out);

}  // namespace rivulet
