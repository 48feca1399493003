// Reading of JSON paths as they are written.
#include <charconv>

#include "operators/expr/json_text.h"

namespace rivulet::expr {
namespace {

constexpr size_t kMaxSteps = 64;

// `.name` from the dot on; false when there is no name.
bool ReadName(std::string_view text, size_t* at, JsonPath::Step* step) {
  const size_t end = std::min(text.find_first_of(".[", *at + 1), text.size());
  step->is_key = true;
  step->key = text.substr(*at + 1, end - *at - 1);
  *at = end;
  return !step->key.empty();
}

// `["name"]`, `['name']` or `[number]`, from the bracket on.
bool ReadBracket(std::string_view text, size_t* at, JsonPath::Step* step) {
  const char quote = *at + 1 < text.size() ? text[*at + 1] : '\0';
  if (quote == '"' || quote == '\'') {
    const size_t end = text.find(quote, *at + 2);
    if (end == std::string_view::npos || text.substr(end + 1, 1) != "]") return false;
    step->is_key = true;
    step->key = text.substr(*at + 2, end - *at - 2);
    *at = end + 2;
    return true;
  }
  const size_t end = text.find(']', *at);
  if (end == std::string_view::npos) return false;
  const char* const last = text.data() + end;
  const auto read = std::from_chars(text.data() + *at + 1, last, step->index);
  *at = end + 1;
  return read.ec == std::errc() && read.ptr == last;
}

}  // namespace

std::optional<JsonPath> JsonPath::Parse(std::string_view text, std::string* error) {
  JsonPath path;
  size_t at = 1;
  bool good = text.starts_with('$');
  while (good && at < text.size() && path.steps_.size() <= kMaxSteps) {
    Step step;
    good = text[at] == '.' ? ReadName(text, &at, &step)
                           : text[at] == '[' && ReadBracket(text, &at, &step);
    path.steps_.push_back(std::move(step));
  }
  if (good && path.steps_.size() <= kMaxSteps) return path;
  *error = good ? "it has more than " + std::to_string(kMaxSteps) + " steps"
                : "expected '$', then steps such as .name, [\"name\"], [0] or [-1]";
  return std::nullopt;
}

}  // namespace rivulet::expr
