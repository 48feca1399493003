#include "node/config/pattern_reader.h"

#include <charconv>
#include <string>

#include "operators/pattern/pattern_plan.h"

namespace rivulet {
namespace {

constexpr std::string_view kSequence =
    "elements such as { name: brake, where: decel > 5 } or { not: any, for: 5m }";

// A number from 1 to kMaxPatternTimes at the front of `text`; 0 when there is none.
int64_t TakeNumber(std::string_view* text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || number < 1 || number > int64_t{kMaxPatternTimes}) return 0;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return number;
}

// "3", "2..5", "2.."
bool ParseTimes(std::string_view text, int64_t* least, int64_t* most) {
  *least = *most = TakeNumber(&text);
  if (*least == 0) return false;
  if (text.empty()) return true;
  if (!text.starts_with("..")) return false;
  text.remove_prefix(2);
  *most = 0;
  if (text.empty()) return true;
  *most = TakeNumber(&text);
  return text.empty() && *most >= *least;
}

void ReadTimes(const SettingReader& reader, Faults* faults, PatternElementSetting* element) {
  MarkedText text;
  if (!reader.Text("times", "how many records, such as 3, 2..5 or 2..", &text)) return;
  if (ParseTimes(text.text, &element->least, &element->most)) return;
  element->least = element->most = 1;
  faults->Add(text.mark, ErrorCode::kBadSettingValue,
              "'times' is " + QuoteForMessage(text.text) +
                  "; expected how many records from 1 to " + std::to_string(kMaxPatternTimes) +
                  ", such as 3, 2..5 or 2.. for at least 2");
}

bool IsName(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (!letter(text[i]) && (i == 0 || !digit)) return false;
  }
  return !text.empty();
}

void ReadNegation(const SettingReader& reader, Faults* faults, PatternElementSetting* element) {
  element->negated = true;
  reader.Text("not", "a condition such as speed > 0, or any", &element->where);
  if (element->where.text == "any") element->where.text.clear();
  reader.DurationOf("for", kOneMicro, kMaxDuration, &element->hold);
  for (const std::string_view name : {"name", "where", "times", "optional", "next", "reluctant", "within"}) {
    if (const auto setting = reader.Find(name)) {
      faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                  "'" + std::string(name) + "' has no meaning with 'not', whose records are not taken");
    }
  }
}

void ReadTaken(const SettingReader& reader, Faults* faults, PatternElementSetting* element) {
  constexpr std::string_view kName = "a name for its records, such as brake";
  if (reader.Require("name", kName) && reader.Text("name", kName, &element->name) &&
      !IsName(element->name.text)) {
    faults->Add(element->name.mark, ErrorCode::kBadSettingValue,
                "'name' is " + QuoteForMessage(element->name.text) +
                    "; expected letters, digits and '_', a letter first");
  }
  reader.Text("where", "a condition such as decel > 5", &element->where);
  ReadTimes(reader, faults, element);
  reader.Bool("optional", &element->optional);
  reader.Bool("next", &element->next);
  reader.Bool("reluctant", &element->reluctant);
  Duration within;
  if (reader.DurationOf("within", kOneMicro, kMaxDuration, &within)) element->within = within;
  if (const auto hold = reader.Find("for")) {
    faults->Add(hold->name_mark, ErrorCode::kBadSettingValue,
                "'for' says how long there is no such record; expected 'not' beside it");
  }
}

PatternElementSetting ReadElement(const Setting& setting, Faults* faults) {
  PatternElementSetting element;
  element.mark = setting.mark();
  const SettingReader reader(*setting.node, settings::kElement, faults);
  if (!reader.usable()) return element;
  if (reader.Find("not")) {
    ReadNegation(reader, faults, &element);
  } else {
    ReadTaken(reader, faults, &element);
  }
  return element;
}

}  // namespace

PatternStep ReadPattern(const Setting& setting, Faults* faults) {
  PatternStep step;
  step.mark = setting.mark();
  const SettingReader reader(*setting.node, settings::kPattern, faults);
  if (!reader.usable()) return step;
  if (const auto sequence = reader.Require("sequence", kSequence)) {
    const auto take = [&](const Setting& item) { step.sequence.push_back(ReadElement(item, faults)); };
    TakeOneOrMore(*sequence, kSequence, take, faults);
  }
  Duration within;
  if (reader.DurationOf("within", kOneMicro, kMaxDuration, &within)) step.within = within;
  reader.Choice<bool>("skip", {"past_last", "to_next"}, {false, true}, &step.to_next);
  reader.Bool("timeouts", &step.timeouts);
  return step;
}

}  // namespace rivulet
