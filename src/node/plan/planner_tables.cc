// The part of the planner that compiles reference tables and joins with them.
#include <algorithm>
#include <filesystem>

#include "base/suggest.h"
#include "node/plan/planner.h"

namespace rivulet {
namespace {

// Adds the column once; returns its number.
uint32_t AddColumn(const MarkedText& name, TablePlan* table) {
  const uint32_t known = table->Find(name.text);
  if (known < table->columns()) return known;
  table->layout.columns.push_back(name.text);
  table->fields.push_back({name.text, kAnyType, false, known});
  table->marks.push_back(name.mark);
  return known;
}

// The value's place in a row; of a column that was not stored so far, behind the others.
uint32_t ValueOf(uint32_t column, TablePlan* table) {
  std::vector<uint32_t>& values = table->layout.values;
  const auto known = std::find(values.begin(), values.end(), column);
  if (known == values.end()) values.push_back(column);
  return static_cast<uint32_t>(std::find(values.begin(), values.end(), column) - values.begin());
}

expr::StaticType Nullable(Type type) {
  return static_cast<expr::StaticType>(MaskOf(type) | MaskOf(Type::kNull));
}

}  // namespace

uint32_t TablePlan::Find(const std::string& column) const {
  const auto known = std::find(layout.columns.begin(), layout.columns.end(), column);
  return static_cast<uint32_t>(known - layout.columns.begin());
}

std::string TablePlan::Origin() const {
  switch (kind) {
    case TableSpec::Kind::kCsv: return "csv " + path;
    case TableSpec::Kind::kSqlite: return "sqlite " + path + ", table " + sqlite_table;
    case TableSpec::Kind::kMqtt: break;
  }
  std::string text;
  for (const TopicPattern& topic : source->topics) {
    text += (text.empty() ? "mqtt " : ", ") + topic.filter();
  }
  return text;
}

void Planner::PlanTables() {
  for (const TableSpec& spec : spec_.tables) {
    TablePlan& table = plan_->tables.emplace_back();
    table.kind = spec.kind;
    table.name = spec.name.text;
    table.rows = static_cast<uint64_t>(spec.rows);
    table.file = spec_.file;
    table.mark = spec.path.mark;
    table.delimiter = spec.source.csv.delimiter;
    table.sqlite_table = spec.table.text;
    const std::filesystem::path folder = std::filesystem::path(spec_.file).parent_path();
    table.path = (folder / spec.path.text).string();
    if (table.of_topic()) PlanMessageTable(spec, &table);
    if (table.of_topic() && !spec_.source.pipeline.text.empty()) {
      // Its rows stand in the journal, the records in another pipeline's output log: nothing says which of
      // them comes first.
      Fault(spec.name, ErrorCode::kUnsupportedYet,
            "a table from a topic, for the results of another pipeline; join it in pipeline '" +
                spec_.source.pipeline.text + "', or take it from a file");
    }
    const auto find = [&](const MarkedText& column) {
      if (!table.of_topic()) return AddColumn(column, &table);
      const uint32_t found = table.Find(column.text);
      if (found < table.columns()) return found;
      Fault(column, ErrorCode::kUnknownName,
            "'" + column.text + "' is neither a level of the table's topic nor one of its fields" +
                DidYouMean(column.text, table.layout.columns));
      return 0u;
    };
    for (const MarkedText& column : spec.key) table.layout.key.push_back(find(column));
    if (!spec.valid_from.text.empty()) {
      table.layout.valid_from = find(spec.valid_from);
      table.layout.unit = spec.unit;
      if (table.of_topic()) table.keep_us = spec.keep.us;
    }
    if (table.of_topic()) continue;
    for (const FieldDeclaration& field : spec.source.fields) {
      DecodedField& column = table.fields[AddColumn(field.name, &table)];
      column.type = Nullable(field.type);
      column.required = field.required;
      if (field.nulls) column.nulls = *field.nulls;
      column.bad_is_null = field.bad_is_null.value_or(false);
    }
  }
}

// A topic's messages are state, which other versions of the file read too: all their fields are stored. In a
// replay a message is a JSON object that has the levels of the topic as fields.
void Planner::PlanMessageTable(const TableSpec& spec, TablePlan* table) {
  table->source = std::make_shared<SourcePlan>();
  SourcePlan& source = *table->source;
  source.format = options_.replay ? SourceSpec::Format::kJson : spec.source.format;
  source.csv = spec.source.csv;
  source.timeless = true;
  source.arrival_time = true;  // a row that has a time has it from `valid_from`
  for (const MarkedText& text : spec.source.topics) {
    Result<TopicPattern> pattern = TopicPattern::Parse(text.text);
    if (!pattern.ok()) continue;  // reported when the file was read
    for (const std::string& name : pattern->names()) AddColumn({name, text.mark}, table);
    source.topics.push_back(std::move(*pattern));
  }
  const uint32_t levels = table->columns();
  for (uint32_t i = 0; i < levels; ++i) {
    table->fields[i].type = Nullable(Type::kString);
    table->fields[i].as_text = options_.replay;
    if (!options_.replay) source.topic_fields.push_back({table->fields[i].name, i});
  }
  const bool one_value = spec.source.format == SourceSpec::Format::kValue;
  if (one_value) AddColumn(spec.source.value_field, table);
  for (const FieldDeclaration& field : spec.source.fields) {
    const uint32_t column = AddColumn(field.name, table);
    if (column < levels) {
      Fault(field.name, ErrorCode::kNameTaken,
            "'" + field.name.text + "' is already a level of the table's topic");
      continue;
    }
    table->fields[column].type = Nullable(field.type);
    table->fields[column].required = field.required;
    if (field.nulls) table->fields[column].nulls = *field.nulls;
    table->fields[column].bad_is_null = field.bad_is_null.value_or(false);
  }
  for (uint32_t i = options_.replay ? 0 : levels; i < table->columns(); ++i) {
    source.payload_fields.push_back(table->fields[i]);
  }
  if (one_value && levels < table->columns()) source.value_field = table->fields[levels];
  if (spec.source.format == SourceSpec::Format::kCsv && source.csv.columns.empty()) {
    faults_.Add(spec.source.format_mark, ErrorCode::kMissingSetting,
          "format csv over MQTT needs its column names: format: { csv: { columns: [a, b] } }");
  }
  source.columns = table->columns();
  for (uint32_t i = 0; i < table->columns(); ++i) table->layout.values.push_back(i);
}

// The column that holds what the table's `column` is compared with. An empty expression: the field of that
// name.
std::optional<uint32_t> Planner::JoinedColumn(const MarkedText& column, const MarkedText& expression) {
  if (expression.text.empty()) {
    const std::optional<expr::Field> field = scope_.Resolve(column.text);
    TakeNewFields();
    if (field) return field->column;
    Fault(column, ErrorCode::kUnknownName,
          "field '" + column.text + "' for the table's key" + DidYouMean(column.text, scope_.Names()) +
              "; where it has another name, write on: { " + column.text + ": expression }");
    return std::nullopt;
  }
  std::optional<expr::Program> program = Compile(expression);
  if (!program) return std::nullopt;
  if (program->column() >= 0) return static_cast<uint32_t>(program->column());
  const uint32_t to = scope_.Define("`" + program->canonical() + "`", program->type());
  known_fields_ = scope_.fields().size();
  Chain().AddSet(to, std::move(*program));
  return to;
}

std::vector<LookupJoin::Key> Planner::PlanJoinKey(const TableJoinStep& step, const TablePlan& table) {
  std::vector<LookupJoin::Key> keys;
  const auto& columns = table.layout.columns;
  std::vector<std::string> key_names;
  for (const uint32_t column : table.layout.key) key_names.push_back(columns[column]);
  for (const auto& [column, expression] : step.on) {
    if (std::find(key_names.begin(), key_names.end(), column.text) != key_names.end()) continue;
    Fault(column, ErrorCode::kUnknownName,
          "'" + column.text + "' is not a key column of table '" + table.name + "'" +
              DidYouMean(column.text, key_names) +
              (expression.text.empty() ? "; to compare a field of another name, write on: { " +
                                             key_names.front() + ": " + column.text + " }"
                                       : ""));
  }
  for (const uint32_t column : table.layout.key) {
    const auto on = std::find_if(step.on.begin(), step.on.end(),
                                 [&](const auto& pair) { return pair.first.text == columns[column]; });
    if (on == step.on.end() && !step.on.empty()) {
      faults_.Add(step.mark, ErrorCode::kMissingSetting,
                  "'on' lacks '" + columns[column] + "', a key column of table '" + table.name + "'");
      continue;
    }
    const std::optional<uint32_t> from =
        on == step.on.end() ? JoinedColumn({columns[column], step.table.mark}, {})
                            : JoinedColumn(on->first, on->second);
    const bool untyped =
        table.kind == TableSpec::Kind::kCsv && table.fields[column].type == kAnyType;
    if (from) keys.push_back({*from, untyped});
  }
  return keys;
}

bool Planner::TakeColumn(const MarkedText& name, const MarkedText& column, TablePlan* table,
                         LookupJoin* join) {
  const MarkedText& of = column.text.empty() ? name : column;
  if (!CheckNewName(name)) return false;
  uint32_t number = table->Find(of.text);
  if (number == table->columns()) {
    if (table->of_topic()) {
      Fault(of, ErrorCode::kUnknownName,
            "'" + of.text + "' is neither a level of the table's topic nor one of its fields" +
                DidYouMean(of.text, table->layout.columns));
      return false;
    }
    number = AddColumn(of, table);
  }
  const auto type = static_cast<expr::StaticType>(table->fields[number].type | MaskOf(Type::kNull));
  const uint32_t to = scope_.Define(name.text, type);
  known_fields_ = scope_.fields().size();
  join->take.push_back({ValueOf(number, table), to});
  return true;
}

void Planner::PlanTableJoin(const TableJoinStep& step) {
  if (after_window_) {
    faults_.Add(step.mark, ErrorCode::kStepOrder,
                "'join' behind the window; a join with a table works on records: put it in front of the "
                "window");
    return;
  }
  std::vector<std::string> names;
  for (const TablePlan& table : plan_->tables) names.push_back(table.name);
  const auto found = std::find(names.begin(), names.end(), step.table.text);
  if (found == names.end()) {
    if (step.table.text.empty()) return;  // reported when the file was read
    Fault(step.table, ErrorCode::kUnknownName,
          "table '" + step.table.text + "'" + DidYouMean(step.table.text, names) +
              "; expected one of 'tables'");
    return;
  }
  LookupJoin join;
  join.table = static_cast<uint32_t>(found - names.begin());
  join.inner = step.inner;
  TablePlan& table = plan_->tables[join.table];
  join.keys = PlanJoinKey(step, table);
  for (const auto& [name, column] : step.take) TakeColumn(name, column, &table, &join);
  std::stable_sort(join.take.begin(), join.take.end(),
                   [](const auto& a, const auto& b) { return a.value < b.value; });
  Chain().AddJoin(std::move(join));
  EndHistory();
}

}  // namespace rivulet
