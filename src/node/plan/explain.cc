#include "node/plan/explain.h"

#include "base/units.h"
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

// `gap`: of a session whose records bring their own, as written.
std::string DescribeWindow(const WindowSpec& w, const std::string& gap) {
  std::string text;
  switch (w.kind) {
    case WindowSpec::Kind::kTumbling:
      text = "tumbling " + FormatDuration({w.size_us});
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
      return text + " records, by arrival";
    case WindowSpec::Kind::kGlobal: text = "global"; break;
  }
  if (w.offset_us != 0) text += ", offset " + FormatDuration({w.offset_us});
  if (!w.zone.empty()) text += ", wall clock of " + w.zone;
  if (w.kind != WindowSpec::Kind::kGlobal) text += ", lateness " + FormatDuration({w.lateness_us});
  text += DescribeEmit(w.emit);
  if (!w.per_key.on) return text;
  return text + "\n    time: each key has its own; the source's less " +
         FormatDuration({w.per_key.hold_us}) + " for those that fall silent";
}

std::string DescribeSink(const SinkSpec& sink) {
  switch (sink.kind) {
    case SinkSpec::Kind::kMqtt:
      return "mqtt " + sink.target.text + " (qos " + std::to_string(sink.qos) +
             (sink.retain ? ", retained)" : ")");
    case SinkSpec::Kind::kSqlite: return "sqlite " + sink.target.text + ", table " + sink.table;
    case SinkSpec::Kind::kFile: return "file " + sink.target.text;
    case SinkSpec::Kind::kStdout: return "stdout";
  }
  return "";
}

void AppendSinks(const char* title, const std::vector<SinkSpec>& sinks, const char* without,
                 std::string* out) {
  for (const SinkSpec& sink : sinks) *out += std::string("    ") + title + DescribeSink(sink) + "\n";
  if (sinks.empty()) *out += std::string("    ") + title + without + "\n";
}

void AppendResultTime(const PipelinePlan& plan, std::string* out) {
  const std::string& field = plan.spec.source.time.field.text;
  *out += "    time: " + (field.empty() ? "of the result" : field) + ", watermark = that of " +
          plan.source.pipeline;
  if (plan.source.delay.us > 0) *out += " - " + FormatDuration(plan.source.delay);
  *out += "\n";
}

void AppendSource(const PipelinePlan& plan, std::string* out) {
  const SourcePlan& source = plan.source;
  *out += std::string("  stage 0: source (stateless; recomputed from ") +
          (source.pipeline.empty() ? "the journal" : "the results it reads") + " after a crash)\n";
  if (!source.pipeline.empty()) *out += "    read results of pipeline " + source.pipeline + "\n";
  for (const TopicPattern& topic : source.topics) *out += "    subscribe " + topic.filter() + "\n";
  for (const TopicField& f : source.topic_fields) *out += "    field " + f.name + ": topic level\n";
  for (const DecodedField& f : source.payload_fields) {
    *out += "    field " + f.name + ": " + TypeNames(f.type) + (f.required ? ", required" : "") +
            " from payload\n";
  }
  if (source.brings_watermark) return AppendResultTime(plan, out);
  if (source.arrival_time) {
    *out += "    time: arrival";
  } else {
    *out += "    time: " + plan.spec.source.time.field.text;
  }
  *out += ", watermark = max - " + FormatDuration(source.delay) + ", dead letter if over " +
          FormatDuration(source.max_ahead) + " ahead\n";
}

void AppendDedup(const DedupStep& dedup, std::string* out) {
  std::vector<std::string> names;
  for (const MarkedText& f : dedup.fields) names.push_back(f.text);
  *out += "    dedup by " + (names.empty() ? "the whole record" : Join(names)) + ", within " +
          FormatDuration(dedup.within) + "\n";
}

void AppendDetect(const DetectStep& detect, std::string* out) {
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
    *out += ", for " + FormatDuration(detect.hold);
  }
  *out += detect.all ? "; all pass\n" : "; changes pass\n";
}

// Which steps: with a memory for each key somewhere, those behind `key` are shown where that is.
enum class Part : uint8_t { kSource, kKeyed, kResults };

void AppendSteps(const PipelinePlan& plan, Part part, std::string* out) {
  Part now = Part::kSource;
  for (const Step& step : plan.spec.steps) {
    if (std::holds_alternative<KeyStep>(step.what) && !plan.keyed.empty()) now = Part::kKeyed;
    if (std::holds_alternative<WindowStep>(step.what) || std::holds_alternative<SelectStep>(step.what) ||
        std::holds_alternative<PatternStep>(step.what)) {
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
    if (const auto* detect = std::get_if<DetectStep>(&step.what)) AppendDetect(*detect, out);
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
    for (size_t i = 0; i < window->aggregates.size(); ++i) {
      const auto& [name, text] = window->aggregates[i];
      *out += "    " + name.text + " = " + text.text + ": " +
              TypeNames(plan.aggregates.output_type(i)) + "\n";
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

}  // namespace

std::string ExplainPlan(const PipelinePlan& plan, uint16_t partitions) {
  std::string out = "pipeline " + plan.name + "\n";
  AppendSource(plan, &out);
  AppendSteps(plan, Part::kSource, &out);
  out += "  exchange: hash(" + Join(plan.key_names) + ") mod " + std::to_string(partitions) +
         " partitions\n";
  out += std::string("  stage 1: ") + (plan.selects() ? "records" : plan.matches() ? "pattern" : "window") +
         " (keyed state, committed with cursors and outputs)\n";
  AppendSteps(plan, Part::kKeyed, &out);
  AppendHistories(plan.keyed, &out);
  if (plan.selects()) {
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
