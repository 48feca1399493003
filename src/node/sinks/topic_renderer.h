// Makes the topic of a result: the template's {name} parts are the result's own fields.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "transport/topic.h"

namespace rivulet {

// Not thread-safe.
class TopicRenderer {
 public:
  // Field values longer than this are cut (at a character): a topic has at most 65535 bytes.
  static constexpr size_t kMaxValueBytes = 1024;

  // Errors: kBadTopicPattern, also when the topic could become longer than MQTT allows.
  static Result<TopicRenderer> Create(std::string_view topic_template);

  // The topic for `json`, a flat JSON object; valid until the next call. A field that is missing or
  // null becomes "_". Characters that brokers refuse in topics (control characters, Unicode
  // non-characters) and a leading '$' that comes from a field become "_" too: otherwise a single
  // strange value would make the broker drop the connection again and again.
  const std::string& Render(std::string_view json);

 private:
  explicit TopicRenderer(TopicTemplate parsed) : template_(std::move(parsed)) {}

  TopicTemplate template_;
  std::string topic_;
  std::string value_;
  std::string clean_;
};

}  // namespace rivulet
