#include "node/engine/rejected_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/status.h"
#include "base/types.h"

namespace rivulet {
namespace {

// The beginning of `text`, not ending within a UTF-8 character.
std::string_view Cut(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = most;
  const auto continues = [text](size_t at) { return (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80; };
  while (end > 0 && most - end < 4 && continues(end)) --end;
  return text.substr(0, continues(end) ? most : end);
}

// What may stand in a line as it is. The parser takes a NUL for the end of the text.
bool IsEmbedded(std::string_view record, bool any_value) {
  if (record.empty() || record.find('\0') != std::string_view::npos) return false;
  const bool container = record.front() == '{' || record.front() == '[';
  return (container || any_value) && nlohmann::json::accept(record);
}

// `whole_bytes`: how long the record is, of which `record` may be the beginning only.
void AppendRecord(std::string_view record, uint64_t whole_bytes, bool any_value, std::string* line) {
  *line += ",\"record\":";
  if (whole_bytes > RejectedLines::kMaxRecordBytes) {
    AppendJsonString(line, Cut(record, RejectedLines::kMaxRecordBytes));
    *line += ",\"record_bytes\":";
    AppendJsonInt(line, static_cast<int64_t>(whole_bytes));
    return;
  }
  if (!IsEmbedded(record, any_value)) return AppendJsonString(line, record);
  const size_t begin = line->size();
  *line += record;
  // Line breaks in valid JSON stand between tokens only: a blank does as well, and keeps one line.
  std::replace_if(
      line->begin() + static_cast<std::ptrdiff_t>(begin), line->end(),
      [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

void AppendMessage(const InputMessage& message, std::string* line) {
  if (message.topic.empty()) return;
  *line += ",\"topic\":";
  AppendJsonString(line, Cut(message.topic, RejectedLines::kMaxTopicBytes));
  *line += ",\"received\":";
  const int64_t us = message.payload.arrival_us;
  AppendJsonInt(line, (us - FloorMod(us, 1000)) / 1000);
  *line += ",\"offset\":";
  AppendJsonInt(line, static_cast<int64_t>(message.payload.offset));
}

std::string Line(std::string_view reason, std::string_view record, const InputMessage* message,
                 uint32_t element) {
  std::string line = "{\"reason\":";
  AppendJsonString(&line, Cut(reason, RejectedLines::kMaxReasonBytes));
  const bool begins = message != nullptr && record.data() == message->payload.payload.data();
  AppendRecord(record, std::max<uint64_t>(record.size(), begins ? message->whole_bytes : 0), element > 0,
               &line);
  if (element > 0) {
    line += ",\"element\":";
    AppendJsonInt(&line, element - 1);
  }
  if (message != nullptr) AppendMessage(*message, &line);
  line += '}';
  return line;
}

}  // namespace

void RejectedLines::Add(std::string_view reason, std::string_view record, const InputMessage* message,
                        uint32_t element) {
  ++count_;
  if (message == nullptr) return lines_->push_back(Line(reason, record, nullptr, element));
  if (message != message_) {
    Finish();
    message_ = message;
    room_ = kBytesOfMessage + kBytesPerByte * message->payload.payload.size();
  }
  if (left_out_ > 0) {
    ++left_out_;
    return;
  }
  std::string line = Line(reason, record, message, element);
  if (line.size() <= room_) {
    room_ -= line.size();
    lines_->push_back(std::move(line));
    return;
  }
  // How many there are is known later; results at fault can stand in between.
  left_out_ = 1;
  first_left_out_ = Cut(reason, kMaxReasonBytes);
  summary_ = lines_->size();
  lines_->emplace_back();
}

void RejectedLines::Finish() {
  if (left_out_ == 0) return;
  const Status reason(ErrorCode::kLinesLeftOut,
                      std::to_string(left_out_) + " more, the first of them: " + first_left_out_);
  (*lines_)[summary_] = Line(reason.ToString(), message_->payload.payload, message_, 0);
  left_out_ = 0;
}

}  // namespace rivulet
