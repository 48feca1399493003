#include "node/sinks/topic_renderer.h"

#include <cstdint>

#include "node/sinks/flat_json.h"

namespace rivulet {

namespace {

constexpr size_t kMaxTopicBytes = 65535;

bool IsRefused(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0xfdd0 && c <= 0xfdef) ||
         (c & 0xfffe) == 0xfffe || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff;
}

// The UTF-8 character at the start of `text` and its length; the length is 0 when it is malformed.
struct Character {
  uint32_t code;
  size_t length;
};
Character Decode(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first > 0xf4 || text.size() < length) return {0, 0};
  uint32_t code = first & (0xffu >> (length + 1));
  for (size_t k = 1; k < length; ++k) {
    const auto byte = static_cast<uint8_t>(text[k]);
    if ((byte & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return {code, code < kSmallest[length] ? 0 : length};
}

void CleanInto(std::string_view value, std::string* out) {
  out->clear();
  while (!value.empty()) {
    const Character c = Decode(value);
    const size_t length = c.length == 0 ? 1 : c.length;
    if (out->size() + length > TopicRenderer::kMaxValueBytes) return;
    if (c.length == 0 || IsRefused(c.code)) {
      out->push_back('_');
    } else {
      out->append(value.substr(0, length));
    }
    value.remove_prefix(length);
  }
}

}  // namespace

Result<TopicRenderer> TopicRenderer::Create(std::string_view topic_template) {
  RIVULET_ASSIGN_OR_RETURN(TopicTemplate parsed, TopicTemplate::Parse(topic_template));
  size_t longest = 0;
  for (const auto& part : parsed.parts()) {
    longest += part.is_field ? kMaxValueBytes : part.text.size();
  }
  if (longest > kMaxTopicBytes) {
    return {ErrorCode::kBadTopicPattern,
            "the topic could become " + std::to_string(longest) +
                " bytes long (each {field} counts " + std::to_string(kMaxValueBytes) +
                "); MQTT allows " + std::to_string(kMaxTopicBytes) + "; shorten the template"};
  }
  return TopicRenderer(std::move(parsed));
}

const std::string& TopicRenderer::Render(std::string_view json) {
  topic_.clear();
  for (const auto& part : template_.parts()) {
    if (!part.is_field) {
      topic_ += part.text;
      continue;
    }
    value_.clear();
    FlatMember member;
    if (FindMember(json, part.text, &member) && member.kind != FlatMember::Kind::kNull) {
      member.text.AppendTo(&value_);
    }
    CleanInto(value_, &clean_);
    if (topic_.empty() && clean_.starts_with('$')) clean_[0] = '_';
    TopicTemplate::AppendLevel(&topic_, clean_);
  }
  return topic_;
}

}  // namespace rivulet
