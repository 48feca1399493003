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

std::string DescribeWindow(const WindowSpec& w) {
  std::string text;
  switch (w.kind) {
    case WindowSpec::Kind::kTumbling:
      text = "tumbling " + FormatDuration({w.size_us});
      break;
    case WindowSpec::Kind::kSliding:
      text = "sliding " + FormatDuration({w.size_us}) + " every " + FormatDuration({w.slide_us});
      break;
    case WindowSpec::Kind::kSession:
      text = "session, gap " + FormatDuration({w.size_us});
      break;
  }
  if (w.offset_us != 0) text += ", offset " + FormatDuration({w.offset_us});
  return text + ", lateness " + FormatDuration({w.lateness_us});
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
    seen_window = seen_window || std::holds_alternative<WindowStep>(step.what) ||
                  std::holds_alternative<SelectStep>(step.what);
    if (seen_window != after) continue;
    if (const auto* set = std::get_if<SetStep>(&step.what)) {
      for (const auto& [name, text] : set->assignments) {
        *out += "    set " + name.text + " = " + text.text + "\n";
      }
    }
    if (const auto* where = std::get_if<WhereStep>(&step.what)) {
      *out += "    where " + where->condition.text + "\n";
    }
    if (const auto* dedup = std::get_if<DedupStep>(&step.what)) {
      std::vector<std::string> names;
      for (const MarkedText& f : dedup->fields) names.push_back(f.text);
      *out += "    dedup by " + (names.empty() ? "the whole record" : Join(names)) + ", within " +
              FormatDuration(dedup->within) + "\n";
    }
  }
}

void AppendWindow(const PipelinePlan& plan, std::string* out) {
  if (plan.select) {
    for (size_t i = plan.key_names.size() + 2; i < plan.result_fields.size(); ++i) {
      *out += "    select " + plan.result_fields[i].name + "\n";
    }
    return;
  }
  *out += "    window: " + DescribeWindow(plan.window) + "\n";
  for (const Step& step : plan.spec.steps) {
    const auto* window = std::get_if<WindowStep>(&step.what);
    if (window == nullptr) continue;
    for (size_t i = 0; i < window->aggregates.size(); ++i) {
      const auto& [name, text] = window->aggregates[i];
      *out += "    " + name.text + " = " + text.text + ": " +
              TypeNames(plan.aggregates.output_type(i)) + "\n";
    }
  }
  std::vector<std::string> slots;
  for (const AccumulatorSlot& s : plan.aggregates.slots()) slots.push_back(s.signature);
  *out += "    state per key and slice: " + std::to_string(plan.aggregates.block_bytes()) +
          " bytes in memory, holding " + Join(slots) + "\n";
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
