#include "node/plan/explain.h"

#include "base/units.h"

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
  return text + DescribeEmit(w.emit);
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

void AppendSinks(const char* title, const std::vector<SinkSpec>& sinks, std::string* out) {
  for (const SinkSpec& sink : sinks) *out += std::string("    ") + title + DescribeSink(sink) + "\n";
  if (sinks.empty()) *out += std::string("    ") + title + "only counted\n";
}

void AppendSource(const PipelinePlan& plan, std::string* out) {
  const SourcePlan& source = plan.source;
  *out += "  stage 0: source (stateless; recomputed from the journal after a crash)\n";
  for (const TopicPattern& topic : source.topics) *out += "    subscribe " + topic.filter() + "\n";
  for (const TopicField& f : source.topic_fields) *out += "    field " + f.name + ": topic level\n";
  for (const DecodedField& f : source.payload_fields) {
    *out += "    field " + f.name + ": " + TypeNames(f.type) + (f.required ? ", required" : "") +
            " from payload\n";
  }
  if (source.arrival_time) {
    *out += "    time: arrival";
  } else {
    *out += "    time: " + plan.spec.source.time.field.text;
  }
  *out += ", watermark = max - " + FormatDuration(source.delay) + ", dead letter if over " +
          FormatDuration(source.max_ahead) + " ahead\n";
}

void AppendSteps(const PipelinePlan& plan, bool after, std::string* out) {
  bool seen_window = false;
  for (const Step& step : plan.spec.steps) {
    if (std::holds_alternative<WindowStep>(step.what)) seen_window = true;
    if (seen_window != after) continue;
    if (const auto* set = std::get_if<SetStep>(&step.what)) {
      for (const auto& [name, text] : set->assignments) {
        *out += "    set " + name.text + " = " + text.text + "\n";
      }
    }
    if (const auto* where = std::get_if<WhereStep>(&step.what)) {
      *out += "    where " + where->condition.text + "\n";
    }
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

}  // namespace

std::string ExplainPlan(const PipelinePlan& plan, uint16_t partitions) {
  std::string out = "pipeline " + plan.name + "\n";
  AppendSource(plan, &out);
  AppendSteps(plan, false, &out);
  out += "  exchange: hash(" + Join(plan.key_names) + ") mod " + std::to_string(partitions) +
         " partitions\n";
  out += "  stage 1: window (keyed state, committed with cursors and outputs)\n";
  AppendWindow(plan, &out);
  AppendSteps(plan, true, &out);
  out += "  outputs (delivered after their commit, in order)\n";
  AppendSinks("results: ", plan.spec.sinks, &out);
  AppendSinks("late: ", plan.spec.late, &out);
  AppendSinks("dead letters: ", plan.spec.dead_letters, &out);
  return out;
}

}  // namespace rivulet
