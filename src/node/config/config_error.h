// A fault in a file that a person wrote: what is wrong, and exactly where.
#pragma once

#include <string>
#include <vector>

#include "base/log_message.h"
#include "base/status.h"

namespace rivulet {

namespace expr {
struct Diagnostic;
}
struct MarkedText;

struct ConfigError {
  std::string file;
  int line = 0;    // 1-based; 0: the file as a whole
  int column = 0;  // 1-based, in bytes
  ErrorCode code = ErrorCode::kOk;
  std::string message;

  // "pipelines/a.yaml:7:12: E2002 unknown field name: 'celsuis' (did you mean 'celsius'?)"
  std::string ToString() const;
  // The same as a line of the log, with its place for machines.
  LogMessage ToLog() const;
};

using ConfigErrors = std::vector<ConfigError>;

// The fault that `diagnostic` reports inside `text` (an expression), with its place in `file`.
// Exact for text on one line and for '|' blocks; for text that YAML folds from several lines the
// column counts on from where the text begins.
ConfigError LocateDiagnostic(const std::string& file, const MarkedText& text,
                             const expr::Diagnostic& diagnostic);

}  // namespace rivulet
