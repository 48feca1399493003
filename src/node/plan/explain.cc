#include "node/plan/explain.h"

#include "base/units.h"
#include "operators/expr/event_time_call.h"
#include "operators/pattern/pattern_table.h"

namespace rivulet {
namespace {

std::string TypeNames(expr::StaticType type) {
  if ((type | MaskOf(Type::kNull)) == kAnyType) return "any";
  std::string text;
  for (const Type t : {Type::kBool, Type::kInt, Type::kFloat, Type::kString}) {
    if ((type & MaskOf(t)) != 0) text += (text.empty() ? "" : "|") + std::string(TypeName(t));
  }
  return text.empty() ? "null" : text;
}

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

std::string DescribeEmit(const EmitSpec& emit) {
  std::string text;
  if (emit.on_change) text += ", early results on change";
  if (emit.interval_us > 0) text += ", early results every " + FormatDuration({emit.interval_us});
  if (emit.records > 0) text += ", early results every " + std::to_string(emit.records) + " records";
  return text + (emit.discarding ? ", discarding" : "");
}

std::string DescribeKeep(const WindowSpec& w) {
  if (w.filled()) {
    constexpr const char* kWith[] = {"", "null", "the last values", "0"};
    const std::string reach = FormatDuration({w.keep_us});
    return (w.carry_us > 0 ? ", last reading carried for " + FormatDuration({w.carry_us}) : "") +
           (w.fill == WindowSpec::Fill::kNone
                ? ", and windows without records have results so long"
                : ", windows without records filled with " +
                      std::string(kWith[static_cast<size_t>(w.fill)]) + " for " + reach);
  }
  return w.keep_us > 0 ? ", keys kept for " + FormatDuration({w.keep_us}) : "";
}

std::string DescribeMonths(const CalendarLength& c) {
  const bool years = c.months % 12 == 0;
  const int64_t count = years ? c.months / 12 : c.months;
  std::string text = std::to_string(count) + (years ? " year" : " month") + (count > 1 ? "s" : "");
  if (c.day > 1) text += " from day " + std::to_string(c.day);
  if (c.months > 1) text += (c.day > 1 ? " of month " : " from month ") + std::to_string(c.first_month);
  return text;
}

// `gap`: of a session whose records bring their own, as written.
std::string DescribeWindow(const WindowSpec& w, const std::string& gap) {
  std::string text;
  switch (w.kind) {
    case WindowSpec::Kind::kTumbling:
      text = "tumbling " + (w.calendar.months > 0 ? DescribeMonths(w.calendar) : FormatDuration({w.size_us}));
      break;
    case WindowSpec::Kind::kSliding:
      text = "sliding " + FormatDuration({w.size_us}) + " every " + FormatDuration({w.slide_us});
      break;
    case WindowSpec::Kind::kSession:
      text = "session, gap " + (w.own_gaps ? gap + " of each record, at most " : "") +
             FormatDuration({w.size_us});
      break;
    case WindowSpec::Kind::kCumulate:
      text = "cumulating up to " + FormatDuration({w.size_us}) + " every " +
             FormatDuration({w.slide_us});
      break;
    case WindowSpec::Kind::kCount:
      text = "count " + std::to_string(w.count);
      if (w.count_slide != w.count) text += " every " + std::to_string(w.count_slide);
      return text + " records, by arrival" + DescribeKeep(w);
    case WindowSpec::Kind::kGlobal: text = "global"; break;
  }
  if (w.offset_us != 0) text += ", offset " + FormatDuration({w.offset_us});
  if (!w.zone.empty()) text += ", wall clock of " + w.zone;
  if (w.repeated_apart) text += ", what it shows twice told apart";
  if (w.kind != WindowSpec::Kind::kGlobal) text += ", lateness " + FormatDuration({w.lateness_us});
  text += DescribeEmit(w.emit) + DescribeKeep(w);
  if (!w.per_key.on) return text;
  return text + "\n    time: each key has its own; the source's less " +
         FormatDuration({w.per_key.hold_us}) + " for those that fall silent";
}

std::string DescribeSink(const SinkSpec& sink) {
  const std::string gap = sink.record_gaps ? ", records gaps and goes on" : "";
  switch (sink.kind) {
    case SinkSpec::Kind::kMqtt:
      return "mqtt " + sink.target.text + " (qos " + std::to_string(sink.qos) +
             (sink.retain ? ", retained)" : ")");
    case SinkSpec::Kind::kSqlite: return "sqlite " + sink.target.text + ", table " + sink.table + gap;
    case SinkSpec::Kind::kFile: return "file " + sink.target.text + gap;
    case SinkSpec::Kind::kStdout: return "stdout";
  }
  return "";
}

void AppendSinks(const char* title, const std::vector<SinkSpec>& sinks, const char* without,
                 std::string* out) {
  for (const SinkSpec& sink : sinks) *out += std::string("    ") + title + DescribeSink(sink) + "\n";
  if (sinks.empty()) *out += std::string("    ") + title + without + "\n";
}

std::string DescribeTime(const TimeSpec& time, const std::string& without) {
  std::string text = time.value.text.empty() ? time.field.text : time.value.text;
  if (text.empty()) return without;
  if (!time.format.text.empty()) text += ", as " + time.format.text;
  if (!time.zone.text.empty()) text += ", local time of " + time.zone.text;
  return text;
}

void AppendResultTime(const PipelinePlan& plan, std::string* out) {
  *out += "    time: " + DescribeTime(plan.spec.source.time, "of the result") + ", watermark = that of " +
          plan.source.pipeline;
  if (plan.source.delay.us > 0) *out += " - " + FormatDuration(plan.source.delay);
  *out += "\n";
}

// What becomes of the only source's windows when nothing comes.
void AppendSilence(const SourcePlan& source, std::string* out) {
  if (source.arrival_time) return;
  *out += source.idle ? "    idle: after " + FormatDuration(*source.idle) +
                            " without records, time goes on with the clock\n"
                      : "    no idle: without records time stands still; open windows wait for the next\n";
}

void AppendOneSource(const PipelinePlan& plan, size_t index, std::string* out) {
  const SourcePlan& source = plan.source.at(index);
  const SourceSpec& spec = index == 0 ? plan.spec.source : plan.spec.others[index - 1];
  if (source.several()) *out += "    source " + source.name + "\n";
  if (!source.pipeline.empty()) *out += "    read results of pipeline " + source.pipeline + "\n";
  for (const TopicPattern& topic : source.topics) *out += "    subscribe " + topic.filter() + "\n";
  for (const TopicField& f : source.topic_fields) *out += "    field " + f.name + ": topic level\n";
  for (const DecodedField& f : source.payload_fields) {
    if (f.presence) {
      *out += "    no field " + f.name + ": back quotes may be missing; records that have it are counted\n";
      continue;
    }
    *out += "    field " + f.name + ": " + TypeNames(f.type) + (f.required ? ", required" : "") +
            " from payload\n";
  }
  if (source.brings_watermark) return AppendResultTime(plan, out);
  if (source.arrival_time) {
    *out += "    time: arrival";
  } else {
    *out += "    time: " + DescribeTime(spec.time, "");
  }
  *out += ", watermark = max - " + FormatDuration(source.delay) + ", dead letter if over " +
          FormatDuration(source.max_ahead) + " ahead\n";
  if (!source.several()) return AppendSilence(source, out);
  if (source.idle) *out += "    idle: after " + FormatDuration(*source.idle) + " without records\n";
  for (const auto& [name, text] : spec.set) *out += "    set " + name.text + " = " + text.text + "\n";
  if (!spec.where.text.empty()) *out += "    where " + spec.where.text + "\n";
}

void AppendSource(const PipelinePlan& plan, std::string* out) {
  *out += std::string("  stage 0: source (stateless; recomputed from ") +
          (plan.source.pipeline.empty() ? "the journal" : "the results it reads") + " after a crash)\n";
  for (size_t i = 0; i < plan.source.sources(); ++i) AppendOneSource(plan, i, out);
  for (const EventTimeColumn& at : plan.event_times) {
    *out += "    " + expr::EventTimeName("", at.unit_us) + ": int, when the record happened\n";
  }
  if (!plan.source.several()) return;
  *out += "    all sources: field source; watermark = the least of those that are not idle\n";
}

std::string DescribeType(JoinSpec::Type type) {
  switch (type) {
    case JoinSpec::Type::kInner: return "inner";
    case JoinSpec::Type::kLeft: return "left";
    case JoinSpec::Type::kFull: return "full";
  }
  return "";
}

void AppendJoin(const PipelinePlan& plan, std::string* out) {
  const JoinSpec& join = plan.join;
  const std::string& left = plan.source.at(join.left_source).name;
  const std::string& right = plan.source.at(join.right_source).name;
  *out += "    join: " + DescribeType(join.type) + ", " + left + " with " + right + ", time of " + right +
          " less time of " + left + " from " + FormatDuration({join.lower_us}) + " to " +
          FormatDuration({join.upper_us}) + "\n    state per record: its time and " +
          Join(plan.join_fields) + "\n";
}

void AppendDedup(const DedupStep& dedup, std::string* out) {
  std::vector<std::string> names;
  for (const MarkedText& f : dedup.fields) names.push_back(f.text);
  *out += "    dedup by " + (names.empty() ? "the whole record" : Join(names)) + ", within " +
          FormatDuration(dedup.within) + "\n";
}

// Whether its `for` is over by time alone.
bool GoesByTime(const KeyedPlan& keyed, const std::string& name) {
  return std::any_of(keyed.steps.begin(), keyed.steps.end(), [&name](const KeyedPlanStep& step) {
    const auto* detect = std::get_if<DetectSpec>(&step.what);
    return detect != nullptr && detect->name == name && detect->by_time;
  });
}

void AppendDetect(const PipelinePlan& plan, const DetectStep& detect, std::string* out) {
  *out += "    detect " + detect.name.text;
  switch (detect.kind) {
    case DetectStep::Kind::kWhen: *out += " when " + detect.of.text; break;
    case DetectStep::Kind::kChange: *out += ": change of " + detect.of.text; break;
    case DetectStep::Kind::kStuck: *out += ": stuck " + detect.of.text; break;
    case DetectStep::Kind::kGap: *out += ": gap over " + FormatDuration(detect.hold); break;
    case DetectStep::Kind::kAnomaly: *out += ": anomaly of " + detect.of.text; break;
  }
  const char* limit = detect.kind == DetectStep::Kind::kWhen     ? " until "
                      : detect.kind == DetectStep::Kind::kChange ? " by "
                                                                 : ", score ";
  if (!detect.limit.text.empty()) *out += limit + detect.limit.text;
  if (detect.kind != DetectStep::Kind::kGap && detect.hold.us > 0) {
    *out += ", for " + FormatDuration(detect.hold) +
            (GoesByTime(plan.keyed, detect.name.text) ? " by time" : " as records say");
  }
  *out += detect.all ? "; all pass\n" : "; changes pass\n";
}

std::string Pairs(const std::vector<std::pair<MarkedText, MarkedText>>& pairs) {
  std::vector<std::string> names;
  for (const auto& [name, text] : pairs) {
    names.push_back(name.text + (text.text.empty() ? "" : " = " + text.text));
  }
  return Join(names);
}

std::string NamesOf(const TablePlan& table, const std::vector<uint32_t>& columns) {
  std::vector<std::string> names;
  for (const uint32_t column : columns) names.push_back(table.layout.columns[column]);
  return Join(names);
}

void AppendTables(const PipelinePlan& plan, std::string* out) {
  for (const TablePlan& table : plan.tables) {
    *out += "  table " + table.name + ": " + table.Origin() + "\n    key " +
            NamesOf(table, table.layout.key) + ", holding " +
            (table.layout.values.empty() ? "no other column" : NamesOf(table, table.layout.values)) +
            ", at most " + std::to_string(table.rows) + (table.of_topic() ? " keys\n" : " rows\n");
    if (!table.versioned()) continue;
    *out += "    versions by " + table.layout.columns[*table.layout.valid_from] +
            (table.of_topic() ? ", kept for " + FormatDuration({table.keep_us}) : "") + "\n";
  }
}

void AppendTableJoin(const TableJoinStep& join, std::string* out) {
  *out += std::string("    ") + (join.inner ? "inner" : "left") + " join with table " + join.table.text +
          (join.on.empty() ? "" : " on " + Pairs(join.on)) +
          (join.take.empty() ? "" : ", taking " + Pairs(join.take)) + "\n";
}

// Which steps: with a memory for each key somewhere, those behind `key` are shown where that is.
enum class Part : uint8_t { kSource, kKeyed, kResults };

void AppendSteps(const PipelinePlan& plan, Part part, std::string* out) {
  Part now = Part::kSource;
  for (const Step& step : plan.spec.steps) {
    if (std::holds_alternative<KeyStep>(step.what) && !plan.keyed.empty()) now = Part::kKeyed;
    if (std::holds_alternative<WindowStep>(step.what) || std::holds_alternative<SelectStep>(step.what) ||
        std::holds_alternative<PatternStep>(step.what) ||
        std::holds_alternative<StreamJoinStep>(step.what)) {
      now = Part::kResults;
    }
    if (now != part) continue;
    if (const auto* explode = std::get_if<ExplodeStep>(&step.what)) {
      *out += "    explode " + explode->field.text + " as " + explode->as.text + "\n";
    }
    if (const auto* set = std::get_if<SetStep>(&step.what)) {
      for (const auto& [name, text] : set->assignments) {
        *out += "    set " + name.text + " = " + text.text + "\n";
      }
    }
    if (const auto* where = std::get_if<WhereStep>(&step.what)) {
      *out += "    where " + where->condition.text + "\n";
    }
    if (const auto* dedup = std::get_if<DedupStep>(&step.what)) AppendDedup(*dedup, out);
    if (const auto* detect = std::get_if<DetectStep>(&step.what)) AppendDetect(plan, *detect, out);
    if (const auto* join = std::get_if<TableJoinStep>(&step.what)) AppendTableJoin(*join, out);
  }
}

void AppendHistories(const KeyedPlan& keyed, std::string* out) {
  for (const KeyedPlanStep& step : keyed.steps) {
    const auto* history = std::get_if<HistorySpec>(&step.what);
    if (history == nullptr) continue;
    std::vector<std::string> calls;
    for (const HistoryItem& item : history->items) calls.push_back(item.canonical);
    *out += "    remembered per key for " + FormatDuration({step.keep_us}) + ": " + Join(calls) + "\n";
  }
}

void AppendWindow(const PipelinePlan& plan, std::string* out) {
  for (const Step& step : plan.spec.steps) {
    const auto* window = std::get_if<WindowStep>(&step.what);
    if (window == nullptr) continue;
    *out += "    window: " + DescribeWindow(plan.window, window->gap.text) + "\n";
    for (const auto& [name, text] : window->aggregates) {
      *out += "    " + name.text + " = " + text.text + ": " +
              TypeNames(plan.aggregate_types.at(name.text)) + "\n";
    }
  }
  std::vector<std::string> slots;
  for (const AccumulatorSlot& s : plan.aggregates.slots()) slots.push_back(s.signature);
  const bool keyed = plan.window.keyed() && plan.window.kind != WindowSpec::Kind::kCount;
  *out += std::string("    state per key and ") + (keyed ? "window: " : "slice: ") +
          std::to_string(plan.aggregates.block_bytes()) + " bytes in memory, holding " + Join(slots) + "\n";
}

std::string DescribeTimes(const PatternElement& e) {
  std::string text;
  if (e.most == kUnlimited) {
    text = ", " + std::to_string(e.least) + " or more";
  } else if (e.most != e.least) {
    text = ", " + std::to_string(e.least) + " to " + std::to_string(e.most);
  } else if (e.least != 1) {
    text = ", " + std::to_string(e.least);
  }
  if (!text.empty()) text += e.reluctant ? " times, as few as will do" : " times, as many as can be";
  return text + (e.optional ? ", or none" : "") + (e.next ? ", each the very next record" : "");
}

void AppendPattern(const PipelinePlan& plan, std::string* out) {
  const PatternStep* step = nullptr;
  for (const Step& s : plan.spec.steps) {
    if (std::holds_alternative<PatternStep>(s.what)) step = std::get_if<PatternStep>(&s.what);
  }
  if (step == nullptr) return;
  *out += "    pattern: " + (step->within ? "within " + FormatDuration(*step->within) + ", " : "") +
          (step->to_next ? "each record may begin a match" : "a record is in one match at most") +
          (step->timeouts ? ", time running out is a result\n" : "\n");
  const std::vector<PatternElement>& elements = plan.pattern.elements;
  for (size_t i = 0; i < elements.size(); ++i) {
    const PatternElement& e = elements[i];
    *out += "      " + (e.negated ? std::string("no record") : e.name);
    if (!e.text.empty()) *out += " where " + e.text;
    if (e.hold_us > 0) *out += " for " + FormatDuration({e.hold_us});
    if (!e.negated) *out += DescribeTimes(e);
    if (!e.negated && i > 0) *out += ", within " + FormatDuration({e.within_us});
    *out += "\n";
  }
  for (const auto& [name, text] : step->fields) *out += "    select " + name.text + " = " + text.text + "\n";
  std::vector<std::string> slots;
  for (const PatternElement& e : elements) {
    for (const AccumulatorSlot& s : e.captures.slots()) slots.push_back(e.name + " " + s.signature);
  }
  *out += "    state per match under way: " + std::to_string(plan.pattern.block_bytes + sizeof(PatternRun)) +
          " bytes in memory" + (slots.empty() ? "" : ", holding " + Join(slots)) + "\n";
}

void AppendSelect(const PipelinePlan& plan, std::string* out) {
  for (const Step& step : plan.spec.steps) {
    const auto* select = std::get_if<SelectStep>(&step.what);
    if (select == nullptr) continue;
    for (const auto& [name, text] : select->fields) {
      *out += "    select " + name.text + (text.text.empty() ? "" : " = " + text.text) + "\n";
    }
  }
}

const char* NameOf(PipelinePlan::Ending ending) {
  switch (ending) {
    case PipelinePlan::Ending::kWindow: return "window";
    case PipelinePlan::Ending::kSelect: return "records";
    case PipelinePlan::Ending::kPattern: return "pattern";
    case PipelinePlan::Ending::kJoin: return "join";
  }
  return "";
}

}  // namespace

std::string ExplainPlan(const PipelinePlan& plan, uint16_t partitions) {
  std::string out = "pipeline " + plan.name + "\n";
  AppendTables(plan, &out);
  AppendSource(plan, &out);
  AppendSteps(plan, Part::kSource, &out);
  out += "  exchange: hash(" + Join(plan.key_names) + ") mod " + std::to_string(partitions) +
         " partitions\n";
  out += std::string("  stage 1: ") + NameOf(plan.ending) +
         " (keyed state, committed with cursors and outputs)\n";
  AppendSteps(plan, Part::kKeyed, &out);
  AppendHistories(plan.keyed, &out);
  if (plan.selects()) {
    AppendSelect(plan, &out);
  } else if (plan.joins()) {
    AppendJoin(plan, &out);
    AppendSelect(plan, &out);
  } else if (plan.matches()) {
    AppendPattern(plan, &out);
  } else {
    AppendWindow(plan, &out);
  }
  AppendSteps(plan, Part::kResults, &out);
  out += "  outputs (delivered after their commit, in order)\n";
  AppendSinks("results: ", plan.spec.sinks, "for pipelines that read them", &out);
  AppendSinks("late: ", plan.spec.late, "only counted", &out);
  AppendSinks("dead letters: ", plan.spec.dead_letters, "only counted", &out);
  return out;
}

}  // namespace rivulet
