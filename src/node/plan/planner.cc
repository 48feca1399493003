#include "node/plan/planner.h"

#include <algorithm>

#include "base/suggest.h"
#include "base/units.h"

namespace rivulet {
namespace {

// Longest window, lateness and delay: keeps every sum of times far from the ends of int64.
constexpr Duration kLongest{int64_t{10} * 366 * 24 * 3600 * 1'000'000};

bool AnyOpen(const PipelineSpec& spec, const PlanOptions& options) {
  return IsOpenSource(spec.source, options) ||
         std::any_of(spec.others.begin(), spec.others.end(),
                     [&](const SourceSpec& other) { return IsOpenSource(other, options); });
}

constexpr std::string_view kReserved[] = {"window_start", "window_end", "revision"};

}  // namespace

bool IsOpenSource(const SourceSpec& source, const PlanOptions& options) {
  switch (source.format) {
    case SourceSpec::Format::kJson:
    case SourceSpec::Format::kNdjson: return source.fields.empty();
    case SourceSpec::Format::kCsv: return source.csv.columns.empty() && options.csv_header.empty();
    case SourceSpec::Format::kValue: return false;
  }
  return true;
}

Planner::Planner(const PipelineSpec& spec, const PlanOptions& options, ConfigErrors* errors)
    : spec_(spec),
      options_(options),
      errors_(errors),
      faults_(spec.file, errors),
      plan_(std::make_unique<PipelinePlan>()),
      scope_(AnyOpen(spec, options)),
      source_spec_(&spec.source),
      source_(&plan_->source) {}

void Planner::Fault(const MarkedText& where, ErrorCode code, std::string message) {
  faults_.Add(where.mark, code, std::move(message));
}

std::unique_ptr<PipelinePlan> Planner::Run() {
  plan_->name = spec_.name.text;
  scope_.SetHistory(nullptr, "use it behind 'key'");
  scope_.SetEventTime(this, "");
  plan_->spec = spec_;
  if (several()) {
    PlanSources();
  } else {
    PlanTopics();
    PlanFields();
    PlanUpstream();
    PlanTime();
  }
  PlanTables();
  for (const Step& step : spec_.steps) PlanStep(step);
  if (!after_window_ && faults_.none()) {
    Fault(spec_.name, ErrorCode::kStepOrder,
          "pipeline has no 'window' step; expected at least key and window with aggregate, or key and "
          "select or pattern");
  }
  Finish();
  PlanSinks(spec_.sinks, true);
  PlanSinks(spec_.late, false);
  PlanSinks(spec_.dead_letters, false);
  faults_.SortByPlace();
  if (!faults_.none()) return nullptr;
  return std::move(plan_);
}

void Planner::PlanTopics() {
  SourcePlan& source = *source_;
  for (const MarkedText& text : source_spec_->topics) {
    Result<TopicPattern> pattern = TopicPattern::Parse(text.text);
    if (!pattern.ok()) {
      Fault(text, pattern.status().code(), pattern.status().message());
      continue;
    }
    for (const std::string& name : pattern->names()) {
      if (HasField(source, name)) continue;
      constexpr expr::StaticType kLevel = MaskOf(Type::kString) | MaskOf(Type::kNull);
      const uint32_t column = DefineField(name, kLevel);
      if (options_.replay) {  // the record has it, perhaps as a number
        source.payload_fields.push_back({name, kLevel, false, column});
        source.payload_fields.back().as_text = true;
      } else {
        source.topic_fields.push_back({name, column});
      }
    }
    source.topics.push_back(std::move(*pattern));
  }
  known_fields_ = scope_.fields().size();
}

void Planner::PlanFields() {
  SourcePlan& source = *source_;
  source.format = source_spec_->format;
  source.csv = source_spec_->csv;
  if (source.csv.columns.empty()) source.csv.columns = options_.csv_header;
  if (source.format == SourceSpec::Format::kCsv && source.csv.columns.empty() &&
      (several() || !options_.replay)) {
    faults_.Add(source_spec_->format_mark, ErrorCode::kMissingSetting,
                "format csv over MQTT needs its column names: format: { csv: { columns: [a, b] } }; only a "
                "replay takes them from the first line of its file");
  }
  if (source.format == SourceSpec::Format::kValue) {
    const std::string& name = source_spec_->value_field.text;
    source.value_field = {name, kAnyType, false, DefineField(name, kAnyType)};
  }
  if (source.format == SourceSpec::Format::kCsv) {
    for (const std::string& column : source.csv.columns) {
      if (column.empty() || HasField(source, column)) continue;
      source.payload_fields.push_back({column, kAnyType, false, DefineField(column, kAnyType)});
    }
  }
  for (const FieldDeclaration& field : source_spec_->fields) {
    const auto type = static_cast<expr::StaticType>(MaskOf(field.type) | MaskOf(Type::kNull));
    const auto known = std::find_if(
        source.payload_fields.begin(), source.payload_fields.end(),
        [&](const DecodedField& f) { return f.name == field.name.text; });
    if (known != source.payload_fields.end() && !known->as_text) {  // a CSV column
      known->type = type;
      known->required = field.required;
      scope_.SetType(field.name.text, type);
      continue;
    }
    if (source.format == SourceSpec::Format::kValue && field.name.text == source.value_field.name) {
      source.value_field.type = type;
      source.value_field.required = field.required;
      continue;
    }
    if (HasField(source, field.name.text)) {
      Fault(field.name, ErrorCode::kNameTaken,
            "'" + field.name.text + "' is already a level of the topic");
      continue;
    }
    const uint32_t column = DefineField(field.name.text, type);
    source.payload_fields.push_back({field.name.text, type, field.required, column});
  }
  known_fields_ = scope_.fields().size();
}

void Planner::TakeNewFields() {
  for (; known_fields_ < scope_.fields().size(); ++known_fields_) {
    const expr::Field& field = scope_.fields()[known_fields_];
    if (after_window_) continue;
    if (several()) {
      read_fields_.push_back({field.name, field.column, field.type});
    } else {
      plan_->source.payload_fields.push_back({field.name, field.type, false, field.column});
    }
  }
}

std::optional<expr::Program> Planner::Compile(const MarkedText& text) {
  expr::Diagnostic diagnostic;
  const std::vector<Hyphenated> hyphenated = FindHyphenated(text.text);
  Result<expr::Program> program = expr::Program::Compile(text.text, &scope_, &diagnostic);
  TakeNewFields();
  if (program.ok()) {
    NoteHyphenated(text, hyphenated);
    return std::move(*program);
  }
  HintAtBackQuotes(hyphenated, &diagnostic);
  errors_->push_back(LocateDiagnostic(spec_.file, text, diagnostic));
  return std::nullopt;
}

void Planner::PlanStep(const Step& step) {
  if (const auto* explode = std::get_if<ExplodeStep>(&step.what)) PlanExplode(*explode, step.mark);
  if (const auto* set = std::get_if<SetStep>(&step.what)) PlanSet(*set);
  if (const auto* where = std::get_if<WhereStep>(&step.what)) PlanWhere(*where);
  if (const auto* key = std::get_if<KeyStep>(&step.what)) PlanKey(*key, step.mark);
  if (const auto* dedup = std::get_if<DedupStep>(&step.what)) PlanDedup(*dedup);
  if (const auto* detect = std::get_if<DetectStep>(&step.what)) PlanDetect(*detect);
  if (const auto* join = std::get_if<TableJoinStep>(&step.what)) PlanTableJoin(*join);
  if (const auto* select = std::get_if<SelectStep>(&step.what)) PlanSelect(*select);
  if (const auto* join = std::get_if<StreamJoinStep>(&step.what)) PlanStreamJoin(*join);
  if (const auto* window = std::get_if<WindowStep>(&step.what)) PlanWindow(*window);
  if (const auto* pattern = std::get_if<PatternStep>(&step.what)) PlanPattern(*pattern);
}

bool Planner::CheckNewName(const MarkedText& name) {
  if (std::find(std::begin(kReserved), std::end(kReserved), name.text) == std::end(kReserved)) {
    return true;
  }
  Fault(name, ErrorCode::kNameTaken, "'" + name.text + "' is the name of a field every result has");
  return false;
}

// A list of the results under another name stays one.
bool Planner::IsList(const expr::Program& program) const {
  return std::any_of(plan_->result_fields.begin(), plan_->result_fields.end(), [&](const auto& f) {
    return f.json && static_cast<int32_t>(f.column) == program.column();
  });
}

void Planner::PlanSet(const SetStep& step) {
  for (const auto& [name, text] : step.assignments) {
    std::optional<expr::Program> program = Compile(text);
    if (!CheckNewName(name)) continue;
    if (!program) {  // reported; the name exists all the same, or every use of it would be a fault too
      scope_.Define(name.text, kAnyType);
      known_fields_ = scope_.fields().size();
      continue;
    }
    const bool json = IsList(*program);
    const uint32_t column = scope_.Define(name.text, program->type());
    known_fields_ = scope_.fields().size();
    Chain().AddSet(column, std::move(*program));
    if (!after_window_) continue;
    auto& fields = plan_->result_fields;
    const auto known = std::find_if(fields.begin(), fields.end(),
                                    [&name = name](const auto& f) { return f.name == name.text; });
    if (known != fields.end()) {
      known->column = column;
      known->json = json;
    } else {
      fields.push_back({name.text, column, json});
    }
  }
}

std::optional<expr::Program> Planner::CompileCondition(const MarkedText& text) {
  std::optional<expr::Program> program = Compile(text);
  if (!program) return std::nullopt;
  if ((program->type() & MaskOf(Type::kBool)) == 0 && program->type() != MaskOf(Type::kNull)) {
    Fault(text, ErrorCode::kWrongArgumentType,
          "'where' needs a condition that is true or false, '" + program->canonical() + "' is not");
    return std::nullopt;
  }
  return program;
}

void Planner::PlanWhere(const WhereStep& step) {
  std::optional<expr::Program> program = CompileCondition(step.condition);
  if (!program) return;
  Chain().AddWhere(std::move(*program));
  EndHistory();
}

void Planner::PlanKey(const KeyStep& step, SourceMark mark) {
  if (keyed_ || after_window_) {
    faults_.Add(mark, ErrorCode::kUnsupportedYet,
                "a second 'key' step; this version has one key and one window in a pipeline. Let "
                "another pipeline read the results of this one: source: { pipeline: .. }");
    return;
  }
  keyed_ = true;
  keep_us_ = step.keep.us;
  scope_.SetHistory(this, "");
  for (const MarkedText& name : step.fields) {
    if (!CheckNewName(name) || RefuseEventTime(name)) continue;
    const std::optional<expr::Field> field = scope_.Resolve(name.text);
    TakeNewFields();
    if (!field) {
      Fault(name, ErrorCode::kUnknownName,
            "key field '" + name.text + "'" + DidYouMean(name.text, scope_.Names()));
      continue;
    }
    plan_->key_names.push_back(name.text);
    plan_->key_columns.push_back(field->column);
  }
}

bool Planner::CheckWindow(const WindowStep& step) {
  const auto fault = [&](std::string message) {
    faults_.Add(step.mark, ErrorCode::kBadWindow, std::move(message));
    return false;
  };
  if (step.lateness > kLongest) return fault("lateness is longer than ten years");
  if (step.kind == WindowStep::Kind::kCount || step.kind == WindowStep::Kind::kGlobal) {
    return PlanUntimed(step);
  }
  if (step.size.us <= 0) return fault("its length is not positive");
  if (step.size > kLongest) return fault("it is longer than ten years");
  if (step.lateness.us < 0) return fault("lateness is negative");
  if (step.kind != WindowStep::Kind::kSliding && step.kind != WindowStep::Kind::kCumulate) return true;
  if (step.slide.us <= 0 || step.slide > step.size) {
    return fault("'every' is " + FormatDuration(step.slide) + "; it must be positive and at most " +
                 FormatDuration(step.size) + ", the window's length");
  }
  if (step.size.us / step.slide.us > 1'000'000) return fault("more than 1,000,000 windows overlap");
  if (step.kind == WindowStep::Kind::kCumulate && step.size.us % step.slide.us != 0) {
    return fault("'every' is " + FormatDuration(step.slide) + ", of which " +
                 FormatDuration(step.size) + ", the full length, is no multiple");
  }
  return true;
}

// Records are shared out to partitions by their whole key. So a clock belongs to a whole key, and naming less
// of it would promise something else.
void Planner::PlanPerKeyTime(const WindowStep& step) {
  const TimeSpec& time = spec_.source.time;
  if (time.per.empty()) return;
  using Kind = WindowStep::Kind;
  if (step.kind != Kind::kTumbling && step.kind != Kind::kSliding && step.kind != Kind::kSession) {
    faults_.Add(step.mark, ErrorCode::kUnsupportedYet,
                "per-key time ('per') with this window; it works with tumbling, sliding and session");
  }
  plan_->window.per_key = {true, time.delay.us, time.hold.us};
  const std::vector<std::string>& keys = plan_->key_names;
  for (const MarkedText& field : time.per) {
    if (std::find(keys.begin(), keys.end(), field.text) != keys.end()) continue;
    Fault(field, ErrorCode::kUnknownName,
          "'per' needs fields of the key, '" + field.text + "' is none" + DidYouMean(field.text, keys));
    return;
  }
  for (const std::string& key : keys) {
    const auto names_key = [&key](const MarkedText& field) { return field.text == key; };
    if (std::any_of(time.per.begin(), time.per.end(), names_key)) continue;
    Fault(time.per.front(), ErrorCode::kUnsupportedYet,
          "a clock for a part of the key; '" + key + "' is a field of the key too. Name all of them "
          "('per: [" + keys.front() + ", ..]'), and each whole key has its own time");
    return;
  }
}

void Planner::PlanWindow(const WindowStep& step) {
  if (after_window_) {
    faults_.Add(step.mark, ErrorCode::kUnsupportedYet,
                "a second 'window', 'pattern' or 'select' step in one pipeline");
    return;
  }
  if (!keyed_) {
    faults_.Add(step.mark, ErrorCode::kStepOrder,
                "'window' before 'key'; expected a step such as `- key: sensor` above it");
  }
  WindowSpec& window = plan_->window;
  window.kind = static_cast<WindowSpec::Kind>(step.kind);
  window.size_us = step.size.us;
  window.slide_us = step.slide.us > 0 ? step.slide.us : step.size.us;
  window.offset_us = step.offset.us;
  window.lateness_us = step.lateness.us;
  PlanPerKeyTime(step);
  if (CheckWindow(step)) {
    const bool sliding = window.kind == WindowSpec::Kind::kSliding;
    const bool cumulate = window.kind == WindowSpec::Kind::kCumulate;
    if ((sliding || cumulate) && window.slide_us == window.size_us) {
      window.kind = WindowSpec::Kind::kTumbling;
    }
    if (window.offset_us != 0) {
      window.offset_us = FloorMod(window.offset_us, sliding ? window.slide_us : window.size_us);
    }
    PlanWindowExtras(step);
  }
  if (window.per_key.on && window.keyed() && !window.filled()) {
    faults_.Add(step.mark, ErrorCode::kUnsupportedYet,
                "per-key time ('per') with early results, 'mode: discarding', gaps of each record, a "
                "zone's wall clock or months");
  }
  PlanAggregates(step);
}

// All that is computed of records is known.
void Planner::FinishRecords() {
  for (KeyedPlanStep& step : plan_->keyed.steps) {
    const auto* history = std::get_if<HistorySpec>(&step.what);
    if (history == nullptr) continue;
    std::string name = "history";
    for (const HistoryItem& item : history->items) name += " " + item.canonical;
    step.signature = KeyedSignature(name);
  }
  plan_->source.columns = scope_.column_count();
  FinishUnquoted();
  std::vector<uint32_t> read = plan_->argument_columns;
  if (plan_->gap_column) read.push_back(*plan_->gap_column);
  FinishDetects(read);
  plan_->keyed.Finish(plan_->arguments, read, scope_.column_count());
}

expr::Scope Planner::ResultScope() {
  expr::Scope results(false);
  results.SetHistory(nullptr, "results have none: use it before the window");
  results.SetEventTime(plan_->joins() ? this : nullptr,
                       "results have window_start and window_end, or take it before, such as by "
                       "max(event_time()) in 'aggregate'");
  std::vector<expr::StaticType> key_types;
  for (const std::string& name : plan_->key_names) {
    const expr::Field* field = scope_.Find(name);
    plan_->result_fields.push_back(
        {name, results.Define(name, field ? field->type : kAnyType), false});
  }
  for (const char* name : {"window_start", "window_end"}) {
    plan_->result_fields.push_back({name, results.Define(name, MaskOf(Type::kInt)), false});
  }
  return results;
}

void Planner::BuildResultScope(const std::vector<ResultOutput>& outputs) {
  expr::Scope results = ResultScope();
  for (const ResultOutput& o : outputs) {
    plan_->result_fields.push_back({o.name, results.Define(o.name, o.type), o.json});
  }
  EnterResults(std::move(results));
}

void Planner::EnterResults(expr::Scope results) {
  scope_ = std::move(results);
  known_fields_ = scope_.fields().size();
  after_window_ = true;
}

void Planner::Finish() {
  FinishSources();
  for (size_t i = 0; i < plan_->source.sources(); ++i) {
    PlanValueRules(spec_of(i), &plan_->source.at(i));
  }
  plan_->result_columns = scope_.column_count();
}

void Planner::PlanSinks(const std::vector<SinkSpec>& sinks, bool results) {
  for (const SinkSpec& sink : sinks) {
    if (sink.kind != SinkSpec::Kind::kMqtt) continue;
    const Result<TopicTemplate> topic = TopicTemplate::Parse(sink.target.text);
    if (!topic.ok()) {
      Fault(sink.target, topic.status().code(), topic.status().message());
      continue;
    }
    for (const std::string& name : topic->names()) {
      if (results && !after_window_) continue;
      const auto& fields = plan_->result_fields;
      const bool list = results && std::any_of(fields.begin(), fields.end(), [&](const auto& f) {
        return f.json && f.name == name;
      });
      if (list) {
        Fault(sink.target, ErrorCode::kWrongArgumentType,
              "'{" + name + "}' is a list; a topic takes text, numbers and bools");
        continue;
      }
      if (results && scope_.Find(name) != nullptr) continue;
      const std::vector<std::string> names = results ? scope_.Names() : std::vector<std::string>();
      Fault(sink.target, ErrorCode::kUnknownName,
            results ? "'{" + name + "}' is not a field of the results" + DidYouMean(name, names)
                    : "'{" + name + "}': topics for late records and dead letters have no fields");
    }
  }
}

}  // namespace rivulet
