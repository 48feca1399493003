#include "node/config/config_error.h"

#include <algorithm>
#include <string_view>

#include "node/config/spec.h"
#include "operators/expr/program.h"

namespace rivulet {

std::string ConfigError::ToString() const {
  std::string out = file;
  if (line > 0) {
    if (!out.empty()) out += ':';
    out += std::to_string(line) + ':' + std::to_string(column);
  }
  if (!out.empty()) out += ": ";
  return out + Status(code, message).ToString();
}

LogMessage ConfigError::ToLog() const {
  LogMessage log(ToString());
  log.code = code;
  log.file = file;
  log.line = line;
  return log;
}

ConfigError LocateDiagnostic(const std::string& file, const MarkedText& text,
                             const expr::Diagnostic& diagnostic) {
  ConfigError error{file, text.mark.line, text.mark.column, diagnostic.code, diagnostic.message};
  if (error.line == 0) return error;
  const size_t offset = std::min(diagnostic.offset, text.text.size());
  const std::string_view before = std::string_view(text.text).substr(0, offset);
  const size_t line_break = before.rfind('\n');
  const size_t line_begin = line_break == std::string_view::npos ? 0 : line_break + 1;
  error.line += static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  error.column += static_cast<int>(offset - line_begin);
  return error;
}

}  // namespace rivulet
