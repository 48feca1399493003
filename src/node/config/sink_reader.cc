#include "node/config/sink_reader.h"

#include <map>

#include "base/suggest.h"
#include "transport/topic.h"

namespace rivulet {
namespace {

using settings::kFileSink;
using settings::kMqttSink;
using settings::kSqliteSink;
using settings::kStdoutSink;

constexpr std::string_view kExpected =
    "a sink: { mqtt: topic }, { sqlite: file }, { file: path } or { stdout: true }";

void ReadMqttSink(const SettingReader& reader, SinkSpec* sink) {
  reader.Int("qos", 0, 2, &sink->qos);
  reader.Bool("retain", &sink->retain);
  if (!reader.Text("mqtt", "a topic such as results/{sensor}", &sink->target)) return;
  const Result<TopicTemplate> topic = TopicTemplate::Parse(sink->target.text);
  if (!topic.ok()) {
    reader.faults()->Add(sink->target.mark, topic.status().code(), topic.status().message());
  }
}

void ReadGap(const SettingReader& reader, SinkSpec* sink) {
  reader.Choice<bool>("gap", {"stop", "record"}, {false, true}, &sink->record_gaps);
}

bool IsTableName(std::string_view name) {
  if (name.empty() || name.size() > 63 || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && c != '_' && (c < '0' || c > '9')) return false;
  }
  return true;
}

void ReadSqliteSink(const SettingReader& reader, const std::string& default_table,
                    SinkSpec* sink) {
  reader.Text("sqlite", "the path of a database file", &sink->target);
  reader.Choice<bool>("revisions", {"replace", "keep"}, {false, true}, &sink->keep_revisions);
  ReadGap(reader, sink);
  sink->table = default_table;
  MarkedText table;
  if (!reader.Text("table", "the name of a table", &table)) return;
  if (!IsTableName(table.text)) {
    reader.faults()->Add(table.mark, ErrorCode::kBadSettingValue,
                         "'table' is " + QuoteForMessage(table.text) +
                             "; expected letters, digits and '_', at most 63, no digit first");
  }
  sink->table = table.text;
}

void ReadStdoutSink(const SettingReader& reader) {
  bool on = true;
  if (reader.Bool("stdout", &on) && !on) {
    reader.faults()->Add(reader.Find("stdout")->mark(), ErrorCode::kBadSettingValue,
                         "'stdout' is false; expected true, or leave the sink out");
  }
}

// The group that a sink's map belongs to, by the setting that names its kind; null and a fault when
// there is none.
const SettingGroup* SinkGroup(const YamlNode& node, Faults* faults) {
  static constexpr const SettingGroup* kGroups[] = {&kMqttSink, &kSqliteSink, &kFileSink,
                                                    &kStdoutSink};
  for (const YamlEntry& entry : node.entries) {
    for (const SettingGroup* group : kGroups) {
      if (entry.key.text == group->names[0]) return group;
    }
  }
  const std::vector<std::string> kinds = {"mqtt", "sqlite", "file", "stdout"};
  if (node.entries.empty()) {
    faults->Add(node.mark(), ErrorCode::kMissingSetting,
                "a sink is empty; expected " + std::string(kExpected));
    return nullptr;
  }
  const MarkedText& first = node.entries.front().key;
  faults->Add(first.mark, ErrorCode::kUnknownSetting,
              QuoteForMessage(first.text) + " in a sink" + DidYouMean(first.text, kinds) +
                  "; expected " + std::string(kExpected));
  return nullptr;
}

void ReadSink(const Setting& setting, const std::string& default_table, Faults* faults,
              std::vector<SinkSpec>* sinks) {
  if (!setting.node->is_map()) {
    faults->Add(setting.mark(), ErrorCode::kWrongSettingType,
                setting.label + " is " + Describe(*setting.node) + "; expected " +
                    std::string(kExpected));
    return;
  }
  const SettingGroup* group = SinkGroup(*setting.node, faults);
  if (group == nullptr) return;
  const SettingReader reader(*setting.node, *group, faults);
  SinkSpec sink;
  sink.mark = setting.mark();
  if (group == &kMqttSink) {
    sink.kind = SinkSpec::Kind::kMqtt;
    ReadMqttSink(reader, &sink);
  } else if (group == &kSqliteSink) {
    sink.kind = SinkSpec::Kind::kSqlite;
    ReadSqliteSink(reader, default_table, &sink);
  } else if (group == &kFileSink) {
    sink.kind = SinkSpec::Kind::kFile;
    reader.Text("file", "the path of a file", &sink.target);
    ReadGap(reader, &sink);
  } else {
    sink.kind = SinkSpec::Kind::kStdout;
    ReadStdoutSink(reader);
  }
  sinks->push_back(std::move(sink));
}

}  // namespace

void ReadSinks(const Setting& setting, const std::string& default_table, Faults* faults,
               std::vector<SinkSpec>* sinks) {
  TakeOneOrMore(
      setting, kExpected,
      [&](const Setting& item) { ReadSink(item, default_table, faults, sinks); }, faults);
}

void CheckSinkTargets(const PipelineSpec& spec, Faults* faults) {
  std::map<std::string, int> lines;  // target -> line of the first sink with it
  for (const std::vector<SinkSpec>* list : {&spec.sinks, &spec.late, &spec.dead_letters}) {
    for (const SinkSpec& sink : *list) {
      std::string what;
      if (sink.kind == SinkSpec::Kind::kFile) {
        what = "file " + QuoteForMessage(sink.target.text);
      } else if (sink.kind == SinkSpec::Kind::kSqlite) {
        what = "table " + QuoteForMessage(sink.table) + " of " + QuoteForMessage(sink.target.text);
      }
      if (what.empty()) continue;
      const auto [first, is_new] = lines.emplace(what, sink.mark.line);
      if (is_new) continue;
      faults->Add(sink.mark, ErrorCode::kDuplicateSetting,
                  "the sink in line " + std::to_string(first->second) + " writes to " + what +
                      " too; expected one sink a target");
    }
  }
}

}  // namespace rivulet
