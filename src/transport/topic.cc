#include "transport/topic.h"

#include <algorithm>

namespace rivulet {
namespace {

// MQTT carries a topic's length in 16 bits.
constexpr size_t kMaxTopicBytes = 65535;

Status Bad(std::string_view what, std::string_view text, std::string_view why) {
  std::string message(what);
  message += " '";
  message += text;
  message += "': ";
  message += why;
  return Status(ErrorCode::kBadTopicPattern, std::move(message));
}

// What makes any pattern or template unusable, whatever its levels.
Status CheckWhole(std::string_view what, std::string_view text) {
  if (text.empty()) return Bad(what, text, "is empty; expected e.g. 'sensors/{sensor}/speed'");
  if (text.size() > kMaxTopicBytes) {
    return Bad(what, text.substr(0, 40), "is longer than the 65535 bytes MQTT allows");
  }
  if (text.find('\0') != std::string_view::npos) {
    return Bad(what, text.substr(0, text.find('\0')), "contains a NUL byte, which MQTT forbids");
  }
  return Status::Ok();
}

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsName(std::string_view text) {
  if (text.empty() || !IsNameStart(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); });
}

// The text up to the next '/', which is taken off `rest`; `*last` tells whether there was none.
std::string_view TakeLevel(std::string_view* rest, bool* last) {
  const size_t slash = rest->find('/');
  const std::string_view level = rest->substr(0, slash);
  *last = slash == std::string_view::npos;
  rest->remove_prefix(*last ? rest->size() : slash + 1);
  return level;
}

}  // namespace

Result<TopicPattern> TopicPattern::Parse(std::string_view text) {
  constexpr std::string_view kWhat = "topic pattern";
  RIVULET_RETURN_IF_ERROR(CheckWhole(kWhat, text));
  if (text == "$share" || text.starts_with("$share/")) {
    return Bad(kWhat, text, "shared subscriptions are not offered: they would tear a lane's order");
  }
  TopicPattern pattern;
  std::string_view rest = text;
  for (bool last = false; !last;) {
    const std::string_view level = TakeLevel(&rest, &last);
    Level parsed{Level::Kind::kLiteral, std::string(level)};
    if (level == "#") {
      if (!last) return Bad(kWhat, text, "'#' stands for the rest and must be the last level");
      parsed.kind = Level::Kind::kRest;
    } else if (level == "+") {
      parsed.kind = Level::Kind::kOne;
    } else if (level.size() >= 2 && level.front() == '{' && level.back() == '}') {
      const std::string_view name = level.substr(1, level.size() - 2);
      if (!IsName(name)) {
        return Bad(kWhat, text,
                   "'" + std::string(level) + "' is not a name in braces; expected letters, " +
                       "digits and '_', e.g. {sensor}");
      }
      if (std::find(pattern.names_.begin(), pattern.names_.end(), name) != pattern.names_.end()) {
        return Bad(kWhat, text, "the name '" + std::string(name) + "' is given twice");
      }
      parsed.kind = Level::Kind::kCapture;
      parsed.text = name;
      pattern.names_.emplace_back(name);
    } else if (level.find_first_of("+#{}") != std::string_view::npos) {
      return Bad(kWhat, text,
                 "level '" + std::string(level) +
                     "' mixes text with a wildcard or brace; '+', '#' and {name} are whole levels");
    }
    if (!pattern.levels_.empty()) pattern.filter_ += '/';
    pattern.filter_ += parsed.kind == Level::Kind::kCapture ? std::string_view("+") : level;
    pattern.levels_.push_back(std::move(parsed));
  }
  return pattern;
}

bool TopicPattern::Match(std::string_view topic, std::vector<std::string_view>* captures) const {
  captures->clear();
  if (topic.empty() || levels_.empty()) return false;
  if (topic.front() == '$' && levels_.front().kind != Level::Kind::kLiteral) return false;
  std::string_view rest = topic;
  bool last = false;
  for (size_t i = 0; i < levels_.size(); ++i) {
    const Level& level = levels_[i];
    // "a/#" matches "a" as well: the rest may be nothing at all.
    if (level.kind == Level::Kind::kRest) return true;
    if (last) return false;
    const std::string_view found = TakeLevel(&rest, &last);
    if (level.kind == Level::Kind::kLiteral && found != level.text) return false;
    if (level.kind == Level::Kind::kCapture) captures->push_back(found);
  }
  return last;
}

Result<TopicTemplate> TopicTemplate::Parse(std::string_view text) {
  constexpr std::string_view kWhat = "topic template";
  RIVULET_RETURN_IF_ERROR(CheckWhole(kWhat, text));
  if (text.find_first_of("+#") != std::string_view::npos) {
    return Bad(kWhat, text, "contains '+' or '#'; a topic to publish on has no wildcards");
  }
  TopicTemplate result;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t brace = rest.find_first_of("{}");
    if (brace != 0) result.parts_.push_back({false, std::string(rest.substr(0, brace))});
    if (brace == std::string_view::npos) break;
    rest.remove_prefix(brace);
    if (rest.front() == '}') return Bad(kWhat, text, "'}' without '{' before it");
    const size_t close = rest.find_first_of("{}", 1);
    if (close == std::string_view::npos || rest[close] == '{') {
      return Bad(kWhat, text, "'{' without '}' after it");
    }
    const std::string_view name = rest.substr(1, close - 1);
    if (name.empty()) return Bad(kWhat, text, "'{}' names no field; expected e.g. {sensor}");
    if (name.find('/') != std::string_view::npos) {
      return Bad(kWhat, text,
                 "'{" + std::string(name) + "}' spans levels; a field's name has no '/'");
    }
    result.parts_.push_back({true, std::string(name)});
    rest.remove_prefix(close + 1);
  }
  return result;
}

std::vector<std::string> TopicTemplate::names() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) {
    if (part.is_field) names.push_back(part.text);
  }
  return names;
}

void TopicTemplate::AppendLevel(std::string* topic, std::string_view value) {
  if (value.empty()) {
    topic->push_back('_');
    return;
  }
  for (const char c : value) {
    const bool reserved = c == '$' && topic->empty();
    const bool structural = c == '/' || c == '+' || c == '#' || c == '\0';
    topic->push_back(reserved || structural ? '_' : c);
  }
}

}  // namespace rivulet
