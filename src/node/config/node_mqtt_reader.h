// Reads `mqtt` of a node file.
#pragma once

#include <string>

#include "node/config/file_paths.h"
#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Reads the file that `setting` names into `*secret`, without the line break at its end. Errors:
// kSecretNotReadable (absent, empty, too large). A credential that is not needed here leaves it empty.
// `resolved`, if any, gets the file's path.
void ReadSecret(const Setting& setting, const FilePaths& paths, std::string* secret, Faults* faults,
                std::string* resolved = nullptr);

// Fills spec->mqtt and spec->mqtt_qos; spec->name must be known. `node` may be null: all defaults.
void ReadMqtt(const YamlNode& node, const FilePaths& paths, Faults* faults, NodeSpec* spec);

}  // namespace rivulet
