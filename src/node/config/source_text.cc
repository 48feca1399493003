#include "node/config/source_text.h"

#include <algorithm>

#include "node/config/yaml_tree.h"

namespace rivulet {
namespace {

// Length of the well-formed UTF-8 sequence at the front of `s` (Unicode table 3-7); 0 if none.
size_t Utf8Length(std::string_view s) {
  const auto byte = [&](size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const auto in = [&](size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

bool IsForbiddenControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

// 1-based column of the first byte of `line` that cannot be taken; 0 when all can.
size_t BadColumn(std::string_view line, const char** why) {
  for (size_t i = 0; i < line.size();) {
    const size_t length = Utf8Length(line.substr(i));
    *why = length == 0 ? "a byte that is not UTF-8; save the file as UTF-8"
                       : "a control character; remove it";
    if (length == 0 || IsForbiddenControl(line[i])) return i + 1;
    i += length;
  }
  return 0;
}

}  // namespace

SourceText::SourceText(std::string_view text) : text_(text) {
  if (text.size() > kMaxYamlBytes) return;
  line_begins_.push_back(0);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_begins_.push_back(i + 1);
  }
}

bool SourceText::CheckSize(Faults* faults) const {
  if (text_.size() > kMaxYamlBytes) {
    faults->Add({}, ErrorCode::kYamlSyntax,
                "the file has " + std::to_string(text_.size()) + " bytes; at most " +
                    std::to_string(kMaxYamlBytes) + " are taken");
    return false;
  }
  const auto brackets = std::count_if(text_.begin(), text_.end(), [](char c) {
    return c == '[' || c == ']' || c == '{' || c == '}' || c == ',';
  });
  if (static_cast<size_t>(brackets) > kMaxYamlBrackets) {
    faults->Add({}, ErrorCode::kYamlSyntax,
                "the file has " + std::to_string(brackets) + " brackets and commas; at most " +
                    std::to_string(kMaxYamlBrackets) + " are taken");
    return false;
  }
  return true;
}

bool SourceText::Check(Faults* faults) const {
  if (!CheckSize(faults)) return false;
  const int lines = static_cast<int>(line_begins_.size());
  for (int line = 1; line <= lines; ++line) {
    const std::string_view bytes = Line(line);
    if (bytes.size() > kMaxYamlLine) {
      faults->Add({line, 1}, ErrorCode::kYamlSyntax,
                  "the line has " + std::to_string(bytes.size()) + " bytes; at most " +
                      std::to_string(kMaxYamlLine) + " are taken");
      return false;
    }
    const char* why = nullptr;
    if (const size_t column = BadColumn(bytes, &why); column != 0) {
      faults->Add({line, static_cast<int>(column)}, ErrorCode::kYamlSyntax, why);
      return false;
    }
  }
  return true;
}

std::string_view SourceText::Line(int line) const {
  if (line < 1 || static_cast<size_t>(line) > line_begins_.size()) return {};
  const auto index = static_cast<size_t>(line) - 1;
  const size_t begin = line_begins_[index];
  const size_t end =
      index + 1 < line_begins_.size() ? line_begins_[index + 1] - 1 : text_.size();
  return text_.substr(begin, end - begin);
}

char SourceText::At(SourceMark mark) const {
  const std::string_view line = Line(mark.line);
  const auto index = static_cast<size_t>(mark.column - 1);
  return mark.column >= 1 && index < line.size() ? line[index] : '\0';
}

SourceMark SourceText::TextBegin(SourceMark mark, bool quoted) const {
  if (!quoted) return mark;
  const char c = At(mark);
  if (c == '\'' || c == '"') return {mark.line, mark.column + 1};
  if (c != '|' && c != '>') return mark;
  for (int line = mark.line + 1; static_cast<size_t>(line) <= line_begins_.size(); ++line) {
    const size_t indent = Line(line).find_first_not_of(" \r");
    if (indent != std::string_view::npos) return {mark.line + 1, static_cast<int>(indent) + 1};
  }
  return mark;
}

std::string SourceText::NullWordAt(SourceMark mark, bool name) const {
  if (mark.column < 1) return "";
  const std::string_view line = Line(mark.line);
  const size_t begin = std::min(line.size(), static_cast<size_t>(mark.column) - 1);
  const std::string_view rest = line.substr(begin);
  for (const std::string_view word : {"null", "Null", "NULL", "~"}) {
    if (rest.substr(0, word.size()) != word) continue;
    // A value that was left out has the mark of what follows, which may be a key "null:".
    const size_t next = rest.find_first_not_of(' ', word.size());
    const bool is_name = next != std::string_view::npos && rest[next] == ':';
    return is_name == name ? std::string(word) : "";
  }
  return "";
}

}  // namespace rivulet
