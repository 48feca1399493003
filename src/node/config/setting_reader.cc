#include "node/config/setting_reader.h"

#include <charconv>
#include <vector>

#include "base/suggest.h"
#include "base/units.h"

namespace rivulet {
namespace {

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

void WrongType(const Setting& setting, std::string_view expected, Faults* faults) {
  faults->Add(setting.mark(), ErrorCode::kWrongSettingType,
              setting.label + " is " + Describe(*setting.node) + "; expected " +
                  std::string(expected));
}

void BadValue(const Setting& setting, const std::string& expected, Faults* faults) {
  faults->Add(setting.mark(), ErrorCode::kBadSettingValue,
              setting.label + " is " + Describe(*setting.node) + "; expected " + expected);
}

}  // namespace

bool TakeText(const Setting& setting, std::string_view expected, MarkedText* out, Faults* faults) {
  const YamlNode& node = *setting.node;
  const bool null_word = node.is_null() && !node.scalar.text.empty();
  if (!node.is_scalar() && !null_word) {
    WrongType(setting, expected, faults);
    return false;
  }
  if (node.scalar.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    BadValue(setting, std::string(expected), faults);
    return false;
  }
  *out = node.scalar;
  return true;
}

bool TakeBool(const Setting& setting, bool* out, Faults* faults) {
  const YamlNode& node = *setting.node;
  const bool is_true = node.scalar.text == "true";
  if (!node.is_scalar() || node.quoted || (!is_true && node.scalar.text != "false")) {
    WrongType(setting, "true or false", faults);
    return false;
  }
  *out = is_true;
  return true;
}

bool TakeInt(const Setting& setting, int64_t min, int64_t max, int64_t* out, Faults* faults) {
  const YamlNode& node = *setting.node;
  const std::string expected =
      "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  const std::string& text = node.scalar.text;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = end == text.data() + text.size() && error != std::errc::invalid_argument;
  if (!node.is_scalar() || node.quoted || !is_number) {
    WrongType(setting, expected, faults);
    return false;
  }
  if (error != std::errc() || value < min || value > max) {
    BadValue(setting, expected, faults);
    return false;
  }
  *out = value;
  return true;
}

bool TakeDuration(const Setting& setting, Duration min, Duration max, Duration* out,
                  Faults* faults) {
  if (!setting.node->is_scalar()) {
    WrongType(setting, "a duration such as 250ms, 5s or 1h30m", faults);
    return false;
  }
  const Result<Duration> parsed = ParseDuration(setting.node->scalar.text);
  if (!parsed.ok()) {
    faults->Add(setting.mark(), parsed.status().code(),
                setting.label + ": " + parsed.status().message());
    return false;
  }
  if (*parsed < min || *parsed > max) {
    BadValue(setting, "a duration from " + FormatDuration(min) + " to " + FormatDuration(max),
             faults);
    return false;
  }
  *out = *parsed;
  return true;
}

bool TakeSize(const Setting& setting, uint64_t min, uint64_t max, uint64_t* out, Faults* faults) {
  if (!setting.node->is_scalar()) {
    WrongType(setting, "a size such as 512KB, 64MB or 1GB", faults);
    return false;
  }
  const Result<uint64_t> parsed = ParseSize(setting.node->scalar.text);
  if (!parsed.ok()) {
    faults->Add(setting.mark(), parsed.status().code(),
                setting.label + ": " + parsed.status().message());
    return false;
  }
  if (*parsed < min || *parsed > max) {
    BadValue(setting, "a size from " + FormatSize(min) + " to " + FormatSize(max), faults);
    return false;
  }
  *out = *parsed;
  return true;
}

bool TakeWord(const Setting& setting, std::initializer_list<std::string_view> words, size_t* out,
              Faults* faults) {
  const std::vector<std::string> names(words.begin(), words.end());
  const std::string expected = "one of: " + Joined(names);
  const YamlNode& node = *setting.node;
  if (!node.is_scalar()) {
    WrongType(setting, expected, faults);
    return false;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] != node.scalar.text) continue;
    *out = i;
    return true;
  }
  faults->Add(setting.mark(), ErrorCode::kBadSettingValue,
              setting.label + " is " + Describe(node) + DidYouMean(node.scalar.text, names) +
                  "; expected " + expected);
  return false;
}

void TakeOneOrMore(const Setting& setting, std::string_view expected,
                   const std::function<void(const Setting&)>& take, Faults* faults) {
  if (!setting.node->is_list()) {
    take(setting);
    return;
  }
  if (setting.node->items.empty()) {
    faults->Add(setting.mark(), ErrorCode::kBadSettingValue,
                setting.label + " is an empty list; expected " + std::string(expected));
  }
  for (const YamlNode& item : setting.node->items) {
    take({&item, "an item of " + setting.label, item.mark()});
  }
}

SettingReader::SettingReader(const YamlNode& node, const SettingGroup& group, Faults* faults)
    : node_(node), group_(group), faults_(faults) {
  const std::vector<std::string> names(group.names.begin(), group.names.end());
  if (!node.is_map() && !node.is_null()) {
    usable_ = false;
    faults->Add(node.mark(), ErrorCode::kWrongSettingType,
                std::string(group.label) + " is " + Describe(node) +
                    "; expected a map with the settings: " + Joined(names));
    return;
  }
  for (const YamlEntry& entry : node.entries) {
    if (faults->full()) return;
    bool known = entry.key.text.empty();  // reported when the tree was built
    for (const std::string& name : names) known = known || name == entry.key.text;
    if (known) continue;
    faults->Add(entry.key.mark, ErrorCode::kUnknownSetting,
                QuoteForMessage(entry.key.text) + " in " + std::string(group.label) +
                    DidYouMean(entry.key.text, names) + "; valid: " + Joined(names));
  }
}

std::optional<Setting> SettingReader::Find(std::string_view name) const {
  if (!usable_) return std::nullopt;
  for (const YamlEntry& entry : node_.entries) {
    if (entry.key.text != name) continue;
    return Setting{&entry.value, "'" + std::string(name) + "' in " + std::string(group_.label),
                   entry.key.mark};
  }
  return std::nullopt;
}

std::optional<Setting> SettingReader::Require(std::string_view name,
                                              std::string_view expected) const {
  std::optional<Setting> setting = Find(name);
  if (!setting) Missing(name, expected);
  return setting;
}

void SettingReader::Missing(std::string_view name, std::string_view expected) const {
  if (!usable_) return;
  faults_->Add(mark(), ErrorCode::kMissingSetting,
               "'" + std::string(name) + "' in " + std::string(group_.label) + "; expected " +
                   std::string(expected));
}

bool SettingReader::Text(std::string_view name, std::string_view expected, MarkedText* out) const {
  const std::optional<Setting> setting = Find(name);
  return setting && TakeText(*setting, expected, out, faults_);
}

bool SettingReader::Bool(std::string_view name, bool* out) const {
  const std::optional<Setting> setting = Find(name);
  return setting && TakeBool(*setting, out, faults_);
}

bool SettingReader::DurationOf(std::string_view name, Duration min, Duration max,
                               Duration* out) const {
  const std::optional<Setting> setting = Find(name);
  return setting && TakeDuration(*setting, min, max, out, faults_);
}

bool SettingReader::Size(std::string_view name, uint64_t min, uint64_t max, uint64_t* out) const {
  const std::optional<Setting> setting = Find(name);
  return setting && TakeSize(*setting, min, max, out, faults_);
}

}  // namespace rivulet
