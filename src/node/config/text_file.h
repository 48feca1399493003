// Small files read whole: configuration and secrets.
#pragma once

#include <cstddef>
#include <string>

#include "base/status.h"

namespace rivulet {

// Errors: kFileNotReadable (absent, a directory, no permission, more than `max_bytes`).
Status ReadTextFile(const std::string& path, size_t max_bytes, std::string* text);

}  // namespace rivulet
