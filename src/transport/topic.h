// MQTT topics: patterns with {name} levels, filters with + and #, templates for output.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rivulet {

// A source pattern such as "sensors/{sensor}/temperature": levels are literal text, `{name}` (one
// level, captured), `+` (one level), or `#` (rest, last only; `{name...}` is not offered).
class TopicPattern {
 public:
  // Errors: kBadTopicPattern (empty, '#' not last, wildcard inside a level, NUL, name given twice,
  // a name that is not letters, digits and '_', shared subscription, longer than 65535 bytes).
  static Result<TopicPattern> Parse(std::string_view text);

  // The MQTT filter to subscribe with: "{sensor}" becomes "+".
  const std::string& filter() const { return filter_; }
  const std::vector<std::string>& names() const { return names_; }

  // True when `topic` matches; then `*captures` has one view into `topic` per name, in order.
  // As MQTT says: wildcards at the first level do not match topics that begin with '$'.
  bool Match(std::string_view topic, std::vector<std::string_view>* captures) const;

 private:
  struct Level {
    enum class Kind : unsigned char { kLiteral, kOne, kCapture, kRest } kind;
    std::string text;
  };
  std::vector<Level> levels_;
  std::vector<std::string> names_;
  std::string filter_;
};

// An output template such as "aggregates/{sensor}/speed": text and {name} parts.
class TopicTemplate {
 public:
  struct Part {
    bool is_field;
    std::string text;  // literal text, or the field's name
  };
  // Errors: kBadTopicPattern (unbalanced brace, empty name, wildcard, NUL, empty).
  static Result<TopicTemplate> Parse(std::string_view text);
  const std::vector<Part>& parts() const { return parts_; }
  std::vector<std::string> names() const;

  // Appends `value` as one topic level: '/', '+', '#' and NUL, which would change the topic's
  // meaning, become '_', and so does '$' where it would be the topic's first byte; an empty value
  // becomes '_' too.
  static void AppendLevel(std::string* topic, std::string_view value);

 private:
  std::vector<Part> parts_;
};

}  // namespace rivulet
