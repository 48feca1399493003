// Pipeline files: the whole and the source; payloads, tables, steps and sinks have readers of their own.

#include <algorithm>
#include <iterator>
#include <set>

#include "base/suggest.h"
#include "node/config/faults.h"
#include "node/config/payload_reader.h"
#include "node/config/reader.h"
#include "node/config/setting_reader.h"
#include "node/config/sink_reader.h"
#include "node/config/step_reader.h"
#include "node/config/table_reader.h"
#include "node/config/text_file.h"
#include "node/config/yaml_tree.h"
#include "operators/expr/program.h"
#include "transport/topic.h"

namespace rivulet {
namespace {

constexpr std::string_view kNoArrival =
    "results of a pipeline have no arrival time; expected { field: name, unit: ms }, or no 'time' for the "
    "time of the result";

// Results of another pipeline are JSON, and bring their time and W along.
void ReadUpstream(const SettingReader& reader, const Setting& setting, Faults* faults,
                  SourceSpec* source) {
  constexpr std::string_view kExpected = "the name of another pipeline";
  if (setting.node->is_list()) {
    faults->Add(setting.mark(), ErrorCode::kWrongSettingType,
                "'pipeline' in 'source' is a list; expected " + std::string(kExpected) +
                    ". To bring the results of several together, let one pipeline read all their topics");
    return;
  }
  TakeText(setting, kExpected, &source->pipeline, faults);
  for (const std::string_view name : {"mqtt", "format"}) {
    if (const auto other = reader.Find(name)) {
      faults->Add(other->name_mark, ErrorCode::kBadSettingValue,
                  "'" + std::string(name) + "' in 'source' has no meaning with 'pipeline', whose results "
                  "are the records; remove one of the two");
    }
  }
}

// `time: arrival` leaves no room for what only event time has.
void CheckArrival(const SettingReader& reader, Faults* faults) {
  for (const std::string_view name :
       {"field", "value", "format", "zone", "unit", "max_ahead", "per", "hold"}) {
    if (const auto setting = reader.Find(name)) {
      faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                  "'" + std::string(name) +
                      "' in 'time' has no meaning with arrival: true; remove one of the two");
    }
  }
}

// `per` and `hold` come together or not at all.
void ReadPerKey(const SettingReader& reader, Faults* faults, TimeSpec* time) {
  constexpr std::string_view kExpected = "the field of the key, or the list of its fields";
  if (const auto per = reader.Find("per")) {
    const auto take = [&](const Setting& item) {
      MarkedText name;
      if (TakeText(item, kExpected, &name, faults)) time->per.push_back(std::move(name));
    };
    TakeOneOrMore(*per, kExpected, take, faults);
    if (!reader.Find("hold")) {
      reader.Missing("hold", "for how long a key may fall silent, such as hold: 30m");
    }
  }
  const auto hold = reader.Find("hold");
  if (!hold) return;
  reader.DurationOf("hold", Duration{}, kMaxDuration, &time->hold);
  if (reader.Find("per")) return;
  faults->Add(hold->name_mark, ErrorCode::kBadSettingValue,
              "'hold' in 'time' has no meaning without 'per', the key whose time it is");
}

// `field` names a field, `value` is an expression, `format` and `zone` are about text of either.
void ReadTimeValue(const SettingReader& reader, Faults* faults, TimeSpec* time) {
  const bool field = reader.Text("field", "the name of the field with the time", &time->field);
  const bool value =
      reader.Text("value", "an expression, such as value: \"date || ' ' || time\"", &time->value);
  reader.Text("format", "the pattern of the text, such as \"%d.%m.%Y %H:%M:%S\"", &time->format);
  reader.Text("zone", "a time zone, such as Europe/Berlin", &time->zone);
  if (field && value) {
    faults->Add(reader.Find("value")->name_mark, ErrorCode::kBadSettingValue,
                "'value' in 'time' has no meaning beside 'field'; remove one of the two");
  }
  if (!field && !value && !time->arrival) {
    for (const std::string_view name : {"format", "zone"}) {
      if (const auto setting = reader.Find(name)) {
        faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                    "'" + std::string(name) + "' in 'time' has no meaning without 'field' or 'value'");
      }
    }
  }
}

// What `time` cannot have where the records are results.
void CheckResultTime(const SettingReader& reader, Faults* faults) {
  if (const auto arrival = reader.Find("arrival")) {
    faults->Add(arrival->name_mark, ErrorCode::kBadSettingValue, std::string(kNoArrival));
  }
  if (const auto ahead = reader.Find("max_ahead")) {
    faults->Add(ahead->name_mark, ErrorCode::kBadSettingValue,
                "'max_ahead' in 'time' has no meaning for results of a pipeline: their times do not move "
                "the watermark, which is that of the pipeline they come from; remove it");
  }
  if (const auto unit = reader.Find("unit"); unit && !reader.Find("field") && !reader.Find("value")) {
    faults->Add(unit->name_mark, ErrorCode::kBadSettingValue,
                "'unit' in 'time' has no meaning without 'field'; the time of a result needs none");
  }
}

void ReadTimeMap(const Setting& setting, bool results, Faults* faults, TimeSpec* time) {
  const SettingReader reader(*setting.node, settings::kTime, faults);
  reader.Bool("arrival", &time->arrival);
  ReadTimeValue(reader, faults, time);
  reader.Choice<TimeUnit>("unit", {"s", "ms", "us", "ns", "iso8601"},
                          {TimeUnit::kSeconds, TimeUnit::kMillis, TimeUnit::kMicros,
                           TimeUnit::kNanos, TimeUnit::kIso8601},
                          &time->unit);
  reader.DurationOf("delay", Duration{}, kMaxDuration, &time->delay);
  reader.DurationOf("max_ahead", Duration{}, kMaxDuration, &time->max_ahead);
  Duration idle;
  if (reader.DurationOf("idle", kOneMicro, kMaxDuration, &idle)) time->idle = idle;
  ReadPerKey(reader, faults, time);
  if (results) {
    CheckResultTime(reader, faults);
  } else if (time->arrival) {
    CheckArrival(reader, faults);
  } else if (!reader.Find("field") && !reader.Find("value")) {
    reader.Missing("field", "the field with the time, value: and an expression, or arrival: true");
  }
}

// Without windows nothing depends on the time, and arrival is as good as any.
void ReadTime(const SettingReader& source, bool has_window, Faults* faults, TimeSpec* time) {
  const auto setting = source.Find("time");
  const bool results = source.Find("pipeline").has_value();
  if (results && !setting) return;
  if (!setting) {
    time->arrival = true;
    if (has_window) {
      source.Missing("time", "when a record happened: time: { field: ts, unit: ms }, "
                             "{ value: EXPRESSION } or arrival");
    }
    return;
  }
  if (!setting->node->is_scalar()) {
    ReadTimeMap(*setting, results, faults, time);
    return;
  }
  if (results) {
    faults->Add(setting->mark(), ErrorCode::kBadSettingValue, std::string(kNoArrival));
    return;
  }
  time->arrival = true;
  if (setting->node->scalar.text == "arrival") return;
  const std::vector<std::string> words = {"arrival"};
  faults->Add(setting->mark(), ErrorCode::kBadSettingValue,
              setting->label + " is " + Describe(*setting->node) +
                  DidYouMean(setting->node->scalar.text, words) +
                  "; expected { field: name, unit: ms } or arrival");
}

void ReadSource(const SettingReader& reader, bool has_window, Faults* faults, SourceSpec* source) {
  if (const auto upstream = reader.Find("pipeline")) {
    ReadUpstream(reader, *upstream, faults, source);
  } else if (source->name.text.empty() && !reader.Find("mqtt")) {
    reader.Missing("mqtt",
                   "a topic such as sensors/{sensor}/temperature, or pipeline: and the name of another "
                   "pipeline");
  } else {
    ReadTopics(reader, faults, &source->topics);
    ReadFormat(reader, faults, source);
  }
  ReadFields(reader, faults, &source->fields);
  ReadValueRules(reader, faults, source);
  ReadTime(reader, has_window, faults, &source->time);
}

// One of several sources: its name tells its records from those of the others.
SourceSpec ReadNamedSource(const Setting& setting, bool has_window, Faults* faults) {
  SourceSpec source;
  const SettingReader reader(*setting.node, settings::kNamedSource, faults);
  constexpr std::string_view kExpected = "a name of letters, digits and '_', such as speed";
  const auto name = reader.Require("name", kExpected);
  if (name && TakeText(*name, kExpected, &source.name, faults)) {
    const std::string& text = source.name.text;
    const bool plain = text.find('.') == std::string::npos && expr::IsPlainName(text);
    if (!plain || text.size() > 63) {
      faults->Add(source.name.mark, ErrorCode::kBadSettingValue,
                  name->label + " is " + QuoteForMessage(text) + "; expected " +
                      std::string(kExpected));
    }
  }
  ReadSource(reader, has_window, faults, &source);
  if (const auto set = reader.Find("set")) source.set = ReadSet(*set, faults).assignments;
  if (const auto where = reader.Find("where")) source.where = ReadWhere(*where, faults).condition;
  return source;
}

void ReadSources(const SettingReader& file, bool has_window, Faults* faults, PipelineSpec* spec) {
  constexpr std::string_view kExpected =
      "where records come from: source: { mqtt: topic, time: .. }, or source: { pipeline: name }";
  constexpr size_t kMost = 16;
  const auto setting = file.Require("source", kExpected);
  if (!setting) return;
  if (!setting->node->is_list()) {
    const SettingReader reader(*setting->node, settings::kSource, faults);
    return ReadSource(reader, has_window, faults, &spec->source);
  }
  std::vector<SourceSpec> all;
  std::set<std::string> seen;
  const auto take = [&](const Setting& item) {
    all.push_back(ReadNamedSource(item, has_window, faults));
    const MarkedText& name = all.back().name;
    if (name.text.empty() || seen.insert(name.text).second) return;
    faults->Add(name.mark, ErrorCode::kDuplicateSetting,
                "a source named " + QuoteForMessage(name.text) + " was already given; rename one");
  };
  TakeOneOrMore(*setting, kExpected, take, faults);
  if (all.size() > kMost) {
    faults->Add(setting->name_mark, ErrorCode::kBadSettingValue,
                "'source' has " + std::to_string(all.size()) + " sources; a pipeline reads at most " +
                    std::to_string(kMost));
  }
  if (all.empty()) return;
  spec->source = std::move(all.front());
  spec->others.assign(std::make_move_iterator(all.begin() + 1), std::make_move_iterator(all.end()));
}

bool IsPipelineName(std::string_view name) {
  if (name.empty() || name.size() > 63 || name[0] == '-' || name[0] == '_') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

void ReadName(const SettingReader& file, Faults* faults, MarkedText* name) {
  constexpr std::string_view kExpected =
      "a name of lower-case letters, digits, '-' and '_', at most 63, letter or digit first";
  const auto setting = file.Require("pipeline", kExpected);
  if (!setting || !TakeText(*setting, kExpected, name, faults)) return;
  if (!IsPipelineName(name->text)) {
    faults->Add(name->mark, ErrorCode::kBadSettingValue,
                "'pipeline' is " + QuoteForMessage(name->text) + "; expected " +
                    std::string(kExpected));
  }
}

void ReadAllSinks(const SettingReader& file, Faults* faults, PipelineSpec* spec) {
  std::string table = spec->name.text;
  std::replace(table.begin(), table.end(), '-', '_');
  if (const auto sinks = file.Find("sinks")) ReadSinks(*sinks, table, faults, &spec->sinks);
  if (const auto late = file.Find("late")) ReadSinks(*late, table + "_late", faults, &spec->late);
  if (const auto dead = file.Find("dead_letters")) {
    ReadSinks(*dead, table + "_dead_letters", faults, &spec->dead_letters);
  }
  CheckSinkTargets(*spec, faults);
}

}  // namespace

bool ReadPipeline(std::string_view yaml, const std::string& file, PipelineSpec* spec,
                  ConfigErrors* errors) {
  *spec = PipelineSpec();
  spec->file = file;
  Faults faults(file, errors);
  YamlNode root;
  if (!ParseYaml(yaml, &root, &faults)) return false;
  const SettingReader reader(root, settings::kPipeline, &faults);
  ReadName(reader, &faults, &spec->name);
  if (const auto tables = reader.Find("tables")) ReadTables(*tables, &faults, &spec->tables);
  if (const auto steps = reader.Find("steps")) ReadSteps(*steps, &faults, &spec->steps);
  const bool has_window =
      std::any_of(spec->steps.begin(), spec->steps.end(), [](const Step& step) {
        return std::holds_alternative<WindowStep>(step.what) ||
               std::holds_alternative<SelectStep>(step.what) ||
               std::holds_alternative<StreamJoinStep>(step.what);
      });
  ReadSources(reader, has_window, &faults, spec);
  ReadAllSinks(reader, &faults, spec);
  faults.SortByPlace();
  return faults.none();
}

bool ReadPipelineFile(const std::string& path, PipelineSpec* spec, ConfigErrors* errors) {
  std::string text;
  const Status status = ReadTextFile(path, kMaxYamlBytes, &text);
  if (!status.ok()) {
    errors->push_back({path, 0, 0, status.code(), status.message()});
    return false;
  }
  return ReadPipeline(text, path, spec, errors);
}

}  // namespace rivulet
