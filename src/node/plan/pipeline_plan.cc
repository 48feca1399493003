#include "node/plan/pipeline_plan.h"

#include "node/plan/planner.h"

namespace rivulet {

std::unique_ptr<Decoder> SourcePlan::NewDecoder() const {
  switch (format) {
    case SourceSpec::Format::kJson: return NewJsonDecoder(payload_fields);
    case SourceSpec::Format::kCsv: return NewCsvDecoder(payload_fields, csv);
    case SourceSpec::Format::kValue:
      return NewValueDecoder(value_field);
  }
  return nullptr;
}

std::string PipelinePlan::StateSignature() const {
  std::string text;
  for (const std::string& key : key_names) text += key + "\n";
  if (select) return text + "select";
  text += std::to_string(static_cast<int>(window.kind)) + " " + std::to_string(window.size_us) +
          " " + std::to_string(window.slide_us) + " " + std::to_string(window.offset_us);
  return text;
}

std::unique_ptr<PipelinePlan> PlanPipeline(const PipelineSpec& spec, const PlanOptions& options,
                                           ConfigErrors* errors) {
  return Planner(spec, options, errors).Run();
}

}  // namespace rivulet
