#include "node/config/payload_reader.h"

#include <set>

#include "transport/topic.h"

namespace rivulet {

void ReadTopics(const SettingReader& source, Faults* faults, std::vector<MarkedText>* topics) {
  constexpr std::string_view kExpected = "a topic such as sensors/{sensor}/temperature";
  const std::optional<Setting> setting = source.Require("mqtt", kExpected);
  if (!setting) return;
  std::set<std::string> seen;
  const auto take = [&](const Setting& item) {
    MarkedText topic;
    if (!TakeText(item, kExpected, &topic, faults)) return;
    const Result<TopicPattern> pattern = TopicPattern::Parse(topic.text);
    if (!pattern.ok()) {
      faults->Add(topic.mark, pattern.status().code(), pattern.status().message());
    } else if (!seen.insert(topic.text).second) {
      faults->Add(topic.mark, ErrorCode::kDuplicateSetting,
                  QuoteForMessage(topic.text) + " in 'mqtt' was already given; remove one");
    }
    topics->push_back(std::move(topic));
  };
  TakeOneOrMore(*setting, kExpected, take, faults);
}

void ReadDelimiter(const SettingReader& reader, Faults* faults, CsvOptions* csv) {
  if (const auto delimiter = reader.Find("delimiter")) {
    const std::string& text = delimiter->node->scalar.text;
    const bool fits = delimiter->node->is_scalar() && text.size() == 1 &&
                      static_cast<unsigned char>(text[0]) < 0x80 &&
                      std::string_view("\"\r\n").find(text[0]) == std::string_view::npos;
    if (fits) {
      csv->delimiter = text[0];
    } else {
      faults->Add(delimiter->mark(), ErrorCode::kBadSettingValue,
                  delimiter->label + " is " + Describe(*delimiter->node) +
                      "; expected one character such as ';' or \"\\t\", and no quote");
    }
  }
}

namespace {

void ReadCsv(const Setting& setting, Faults* faults, CsvOptions* csv) {
  const SettingReader reader(*setting.node, settings::kCsv, faults);
  ReadDelimiter(reader, faults, csv);
  const auto columns = reader.Find("columns");
  if (!columns) return;
  constexpr std::string_view kExpected = "a list of column names";
  std::set<std::string> seen;
  const auto take = [&](const Setting& item) {
    MarkedText name;
    if (!TakeText(item, kExpected, &name, faults)) return;
    if (!seen.insert(name.text).second) {
      faults->Add(name.mark, ErrorCode::kDuplicateSetting,
                  QuoteForMessage(name.text) + " in 'columns' was already given; rename one");
    }
    csv->columns.push_back(name.text);
  };
  TakeOneOrMore(*columns, kExpected, take, faults);
}

}  // namespace

// `json`, `ndjson`, `csv`, `value`, or one of the long forms `{ csv: {..} }`, `{ value: {..} }`.
void ReadFormat(const SettingReader& source_reader, Faults* faults, SourceSpec* source) {
  using Format = SourceSpec::Format;
  source->value_field.text = "value";
  const auto setting = source_reader.Find("format");
  if (!setting) return;
  source->format_mark = setting->name_mark;
  if (!setting->node->is_map()) {
    source_reader.Choice<Format>("format", {"json", "ndjson", "csv", "value"},
                                 {Format::kJson, Format::kNdjson, Format::kCsv, Format::kValue},
                                 &source->format);
    return;
  }
  const SettingReader reader(*setting->node, settings::kFormat, faults);
  const auto csv = reader.Find("csv");
  const auto value = reader.Find("value");
  if (csv) {
    source->format = Format::kCsv;
    ReadCsv(*csv, faults, &source->csv);
  }
  if (value) {
    source->format = Format::kValue;
    const SettingReader value_reader(*value->node, settings::kValue, faults);
    value_reader.Text("field", "the name of the field", &source->value_field);
  }
  if (csv && value) {
    faults->Add(value->name_mark, ErrorCode::kBadSettingValue,
                "'format' has two formats; expected only one of: csv, value");
  } else if (!csv && !value && setting->node->entries.empty()) {
    reader.Missing("csv", "csv or value, or plainly format: json");
  }
}

namespace {

bool TakeType(const Setting& setting, Type* type, Faults* faults) {
  static constexpr Type kTypes[] = {Type::kInt, Type::kFloat, Type::kString, Type::kBool};
  size_t index = 0;
  if (!TakeWord(setting, {"int", "float", "string", "bool"}, &index, faults)) return false;
  *type = kTypes[index];
  return true;
}

// `null: [NA, -9999]`. An empty list is a list too: none.
std::optional<std::vector<std::string>> ReadNulls(const SettingReader& reader, Faults* faults) {
  constexpr std::string_view kExpected = "a list of texts that stand for null, such as [\"NA\", \"-\"]";
  const auto setting = reader.Find("null");
  if (!setting) return std::nullopt;
  std::vector<std::string> nulls;
  if (setting->node->is_list() && setting->node->items.empty()) return nulls;
  const auto take = [&](const Setting& item) {
    if (!item.node->is_scalar() && item.node->scalar.text.empty()) {
      faults->Add(item.mark(), ErrorCode::kWrongSettingType,
                  item.label + " is " + Describe(*item.node) + "; expected " + std::string(kExpected));
    } else {
      nulls.push_back(item.node->scalar.text);
    }
  };
  TakeOneOrMore(*setting, kExpected, take, faults);
  return nulls;
}

// `bad: null`, which to YAML is no word, or `bad: dead`.
std::optional<bool> ReadBad(const SettingReader& reader, Faults* faults) {
  const auto setting = reader.Find("bad");
  if (!setting) return std::nullopt;
  if (setting->node->is_null()) return true;
  size_t index = 0;
  if (!TakeWord(*setting, {"null", "dead"}, &index, faults)) return std::nullopt;
  return index == 0;
}

}  // namespace

void ReadValueRules(const SettingReader& source, Faults* faults, SourceSpec* spec) {
  spec->nulls = ReadNulls(source, faults).value_or(std::vector<std::string>());
  spec->bad_is_null = ReadBad(source, faults).value_or(false);
}

void ReadFields(const SettingReader& source, Faults* faults,
                std::vector<FieldDeclaration>* fields) {
  const auto setting = source.Find("fields");
  if (!setting || setting->node->is_null()) return;
  if (!setting->node->is_map()) {
    faults->Add(setting->mark(), ErrorCode::kWrongSettingType,
                setting->label + " is " + Describe(*setting->node) +
                    "; expected a map from names to types, such as { speed: float }");
    return;
  }
  for (const YamlEntry& entry : setting->node->entries) {
    if (entry.key.text.empty()) continue;  // reported when the tree was built
    FieldDeclaration field;
    field.name = entry.key;
    const Setting value{&entry.value, QuoteForMessage(entry.key.text) + " in 'fields'",
                        entry.key.mark};
    if (entry.value.is_map()) {
      const SettingReader reader(entry.value, settings::kField, faults);
      const auto type = reader.Require("type", "int, float, string or bool");
      if (type) TakeType(*type, &field.type, faults);
      reader.Bool("required", &field.required);
      field.nulls = ReadNulls(reader, faults);
      field.bad_is_null = ReadBad(reader, faults);
    } else {
      TakeType(value, &field.type, faults);
    }
    fields->push_back(std::move(field));
  }
}

}  // namespace rivulet
