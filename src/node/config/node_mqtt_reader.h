// Reads `mqtt` of a node file.
#pragma once

#include <string>

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// `path` made absolute from `directory`, with "." and ".." resolved in the text.
std::string ResolvePath(const std::string& directory, const std::string& path);

// Reads the file that `setting` names into `*secret`, without the line break at its end. Errors:
// kSecretNotReadable (absent, empty, too large).
void ReadSecret(const Setting& setting, const std::string& directory, std::string* secret,
                Faults* faults);

// Fills spec->mqtt and spec->mqtt_qos; spec->name must be known. `node` may be null: all defaults.
void ReadMqtt(const YamlNode& node, const std::string& directory, Faults* faults, NodeSpec* spec);

}  // namespace rivulet
