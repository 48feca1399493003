// Reads the map behind `window:`: its kind and everything that depends on it.
#pragma once

#include "node/config/setting_reader.h"
#include "node/config/spec.h"

namespace rivulet {

// Fills all of `*step` but its mark and aggregates. Faults: what does not exist, has a wrong type or has no
// meaning for the kind of window.
void ReadWindowSettings(const SettingReader& reader, Faults* faults, WindowStep* step);

}  // namespace rivulet
