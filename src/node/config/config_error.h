// A fault in a file that a person wrote: what is wrong, and exactly where.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace rivulet {

struct ConfigError {
  std::string file;
  int line = 0;    // 1-based; 0: the file as a whole
  int column = 0;  // 1-based
  ErrorCode code = ErrorCode::kOk;
  std::string message;

  // "pipelines/a.yaml:7:12: E2002 unknown field name: 'celsuis' (did you mean 'celsius'?)"
  std::string ToString() const;
};

using ConfigErrors = std::vector<ConfigError>;

}  // namespace rivulet
