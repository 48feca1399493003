#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "node/engine/pipeline_task.h"

namespace rivulet {

std::string RejectedLine(std::string_view reason, std::string_view raw) {
  std::string line = "{\"reason\":";
  AppendJsonString(&line, reason);
  line += ",\"record\":";
  const bool looks_like_json = !raw.empty() && (raw.front() == '{' || raw.front() == '[');
  if (looks_like_json && nlohmann::json::accept(raw)) {
    const size_t begin = line.size();
    line += raw;
    // Line breaks in valid JSON stand between tokens only: a blank does as well, and keeps one line.
    std::replace_if(
        line.begin() + static_cast<std::ptrdiff_t>(begin), line.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
  } else {
    AppendJsonString(&line, raw);
  }
  line += '}';
  return line;
}

}  // namespace rivulet
