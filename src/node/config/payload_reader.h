// Reads what sources and tables have in common: topics, the form of payloads, their fields.
#pragma once

#include <vector>

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Each reads settings of one map and reports every fault: `mqtt`, ...
void ReadTopics(const SettingReader& source, Faults* faults, std::vector<MarkedText>* topics);
// ... `delimiter`, ...
void ReadDelimiter(const SettingReader& reader, Faults* faults, CsvOptions* csv);
// ... `null` and `bad` of a source, ...
void ReadValueRules(const SettingReader& source, Faults* faults, SourceSpec* spec);
// ... `format`, ...
void ReadFormat(const SettingReader& source_reader, Faults* faults, SourceSpec* source);
// ... and `fields`.
void ReadFields(const SettingReader& source, Faults* faults, std::vector<FieldDeclaration>* fields);

}  // namespace rivulet
