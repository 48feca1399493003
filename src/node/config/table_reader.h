// Reads `tables` of a pipeline file: where reference tables come from.
#pragma once

#include <vector>

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Appends the tables of the map. Reports every fault; what is missing stays at its default.
void ReadTables(const Setting& setting, Faults* faults, std::vector<TableSpec>* tables);

}  // namespace rivulet
