// Reads sinks: what `sinks`, `late` and `dead_letters` of a pipeline file hold.
#pragma once

#include <string>
#include <vector>

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Appends the sink of a map, or the sinks of a list. SQLite sinks without `table` get
// `default_table`.
void ReadSinks(const Setting& setting, const std::string& default_table, Faults* faults,
               std::vector<SinkSpec>* sinks);

// Reports two sinks of one pipeline that would write into the same file or table.
void CheckSinkTargets(const PipelineSpec& spec, Faults* faults);

}  // namespace rivulet
