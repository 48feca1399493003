// Pipeline and node files: read, planned and explained. Input: the text of the file.
#include <memory>
#include <string>

#include "node/config/reader.h"
#include "node/plan/explain.h"
#include "node/plan/pipeline_plan.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/node/config_fuzz_entry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rivulet;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FuzzConfig(text);
  ConfigErrors errors;
  PipelineSpec spec;
  if (!ReadPipeline(text, "fuzz.yaml", &spec, &errors)) return 0;
  PlanOptions replay;
  replay.replay = true;
  for (const PlanOptions& options : {PlanOptions{}, replay}) {
    errors.clear();
    const std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec, options, &errors);
    fuzz::Require((plan != nullptr) == errors.empty(), "a plan, or errors that say why not");
    for (const ConfigError& e : errors) {
      fuzz::Require(e.line > 0 && e.column > 0, "a planning error has a place in the file");
    }
    if (plan == nullptr) continue;
    fuzz::Require(!ExplainPlan(*plan, 64).empty(), "a plan can be explained");
    fuzz::Require(plan->StateSignature() == PlanPipeline(spec, options, &errors)->StateSignature(),
                  "the same file gives the same state");
  }
  return 0;
}
