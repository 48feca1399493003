#include "node/engine/dead_reasons.h"

#include <algorithm>

#include "base/json_cursor.h"

namespace rivulet {
namespace {

constexpr size_t kMostReasons = 64;
constexpr size_t kShown = 240;  // bytes of a text
constexpr std::string_view kReason = "\"reason\":\"", kRecord = "\"record\":";

// At most kShown bytes, no character in part.
std::string Cut(std::string_view text) {
  if (text.size() <= kShown) return std::string(text);
  size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

// The text of the reason, as JSON has it but for quotes and backslashes.
std::string ReasonOf(std::string_view line) {
  const size_t at = line.find(kReason);
  if (at == line.npos) return Cut(line);
  line.remove_prefix(at + kReason.size());
  std::string text;
  for (size_t i = 0; i < line.size() && line[i] != '"' && text.size() <= kShown; ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == '"' || line[i + 1] == '\\')) ++i;
    text += line[i];
  }
  return Cut(text);
}

std::string RecordOf(std::string_view line) {
  const size_t at = line.find(kRecord);
  if (at == line.npos) return "";
  line.remove_prefix(at + kRecord.size());
  // What follows the value says where the record came from. A value of more levels is longer than what is
  // shown of it.
  JsonCursor cursor(line, JsonCursor::Halves::kTaken);
  return Cut(cursor.Value(static_cast<int>(kShown)) ? cursor.Since(line.data()) : line);
}

// Numbers, and quoted text that is a value ("is '12:60'"), differ from record to record.
std::string KindOf(std::string_view text) {
  std::string kind;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i > 5 && text[i] >= '0' && text[i] <= '9') {  // behind the error's number
      if (!kind.ends_with('#')) kind += '#';
    } else if (text[i] == '\'' && (kind.ends_with(" is ") || kind.ends_with(": "))) {
      const size_t end = text.find("', ", i + 1);  // the value may have quotes of its own
      i = std::min(end != text.npos ? end : text.find('\'', i + 1), text.size() - 1);
      kind += "''";
    } else {
      kind += text[i];
    }
  }
  return kind;
}

}  // namespace

void DeadReasons::Note(std::string_view line) {
  std::string text = ReasonOf(line);
  std::string kind = KindOf(text);
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&kind](const Entry& e) { return e.kind == kind; });
  if (known != entries_.end()) {
    ++known->reason.count;
  } else if (entries_.size() < kMostReasons) {
    entries_.push_back({std::move(kind), {1, std::move(text), RecordOf(line)}});
  } else {
    ++others_;
  }
}

std::vector<DeadReasons::Reason> DeadReasons::Top(size_t most) const {
  std::vector<Reason> reasons;
  for (const Entry& e : entries_) reasons.push_back(e.reason);
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.count > b.count; });
  if (reasons.size() > most) reasons.resize(most);
  return reasons;
}

}  // namespace rivulet
