#include "node/config/table_reader.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "node/config/payload_reader.h"

namespace rivulet {
namespace {

using Kind = TableSpec::Kind;

// What each kind can have besides key, valid_from, fields and rows.
struct KindSettings {
  std::string_view name;
  Kind kind;
  std::span<const std::string_view> others;
};

constexpr std::string_view kOfCsv[] = {"delimiter"};
constexpr std::string_view kOfSqlite[] = {"table"};
constexpr std::string_view kOfMqtt[] = {"format", "keep"};
constexpr std::string_view kBelonging[] = {"delimiter", "table", "format", "keep"};

constexpr KindSettings kKinds[] = {
    {"csv", Kind::kCsv, kOfCsv},
    {"sqlite", Kind::kSqlite, kOfSqlite},
    {"mqtt", Kind::kMqtt, kOfMqtt},
};

constexpr int64_t kMostRows = 10'000'000;

const KindSettings* FindKind(const SettingReader& reader) {
  return FindOnlyKind(reader, kKinds, "a table has two origins; expected only one of: csv, sqlite, mqtt",
                      "csv, sqlite or mqtt: where its rows are");
}

void CheckBelonging(const SettingReader& reader, const KindSettings& kind, Faults* faults) {
  for (const std::string_view name : kBelonging) {
    const std::optional<Setting> setting = reader.Find(name);
    if (!setting || std::find(kind.others.begin(), kind.others.end(), name) != kind.others.end()) continue;
    faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                "'" + std::string(name) + "' has no meaning in a table with '" + std::string(kind.name) +
                    "'");
  }
}

void ReadKeyColumns(const SettingReader& reader, Faults* faults, std::vector<MarkedText>* key) {
  constexpr std::string_view kExpected = "the column, or the list of columns, that rows are found by";
  const auto setting = reader.Require("key", kExpected);
  if (!setting) return;
  std::set<std::string> seen;
  const auto take = [&](const Setting& item) {
    MarkedText column;
    if (!TakeText(item, kExpected, &column, faults)) return;
    if (!seen.insert(column.text).second) {
      faults->Add(column.mark, ErrorCode::kDuplicateSetting,
                  QuoteForMessage(column.text) + " in 'key' was already given; remove one");
    }
    key->push_back(std::move(column));
  };
  TakeOneOrMore(*setting, kExpected, take, faults);
}

// `valid_from: since`, or `{ field: since, unit: s }`.
void ReadValidFrom(const SettingReader& table, Faults* faults, TableSpec* spec) {
  constexpr std::string_view kExpected = "the column with the time from which a row holds";
  const auto setting = table.Find("valid_from");
  if (!setting) return;
  if (!setting->node->is_map()) {
    TakeText(*setting, kExpected, &spec->valid_from, faults);
    return;
  }
  const SettingReader reader(*setting->node, settings::kValidFrom, faults);
  if (const auto field = reader.Require("field", kExpected)) {
    TakeText(*field, kExpected, &spec->valid_from, faults);
  }
  reader.Choice<TimeUnit>("unit", {"s", "ms", "us", "ns", "iso8601"},
                          {TimeUnit::kSeconds, TimeUnit::kMillis, TimeUnit::kMicros, TimeUnit::kNanos,
                           TimeUnit::kIso8601},
                          &spec->unit);
}

void ReadMqtt(const SettingReader& reader, Faults* faults, TableSpec* spec) {
  ReadTopics(reader, faults, &spec->source.topics);
  ReadFormat(reader, faults, &spec->source);
  const bool one_value = spec->source.format == SourceSpec::Format::kValue;
  if (spec->source.fields.empty() && !one_value) {
    reader.Missing("fields", "the fields of its messages, such as { limit: float }");
  }
  if (const auto keep = reader.Find("keep")) {
    TakeDuration(*keep, kOneMicro, kMaxDuration, &spec->keep, faults);
    if (spec->valid_from.text.empty()) {
      faults->Add(keep->name_mark, ErrorCode::kBadSettingValue,
                  "'keep' is about versions; expected 'valid_from' beside it");
    }
  }
}

void ReadTable(const MarkedText& name, const Setting& setting, Faults* faults, TableSpec* spec) {
  spec->name = name;
  const SettingReader reader(*setting.node, settings::kTable, faults);
  if (!reader.usable()) return;
  ReadKeyColumns(reader, faults, &spec->key);
  ReadValidFrom(reader, faults, spec);
  ReadFields(reader, faults, &spec->source.fields);
  reader.Int("rows", 1, kMostRows, &spec->rows);
  const KindSettings* kind = FindKind(reader);
  if (kind == nullptr) return;
  spec->kind = kind->kind;
  CheckBelonging(reader, *kind, faults);
  if (spec->kind == Kind::kMqtt) {
    ReadMqtt(reader, faults, spec);
    return;
  }
  reader.Text(kind->name, "the path of a file", &spec->path);
  ReadDelimiter(reader, faults, &spec->source.csv);
  constexpr std::string_view kTable = "the name of the table in the database";
  if (spec->kind != Kind::kSqlite) return;
  if (const auto table = reader.Require("table", kTable)) TakeText(*table, kTable, &spec->table, faults);
}

}  // namespace

void ReadTables(const Setting& setting, Faults* faults, std::vector<TableSpec>* tables) {
  if (!setting.node->is_map()) {
    faults->Add(setting.mark(), ErrorCode::kWrongSettingType,
                setting.label + " is " + Describe(*setting.node) +
                    "; expected a map from names to tables, such as { vehicles: { csv: .., key: .. } }");
    return;
  }
  for (const YamlEntry& entry : setting.node->entries) {
    if (entry.key.text.empty()) continue;  // reported when the tree was built
    const Setting table{&entry.value, QuoteForMessage(entry.key.text) + " in 'tables'", entry.key.mark};
    ReadTable(entry.key, table, faults, &tables->emplace_back());
  }
}

}  // namespace rivulet
