// `rivulet explain`: what a pipeline compiles to.
#include <cstdio>

#include "node/commands/cli.h"
#include "node/config/reader.h"
#include "node/plan/explain.h"

namespace rivulet {

int ExplainCommand(const Arguments& args) {
  std::vector<std::string> files;
  uint64_t partitions = 64;
  CommandLine line("explain", "PIPELINE.yaml ...",
                   "Shows what pipelines compile to: stages with their steps, the fields taken from "
                   "payloads, the exchange between stages, the state kept per key, and the outputs.");
  line.Operands("PIPELINE.yaml", &files, 1, 1000);
  line.Count("partitions", "N", &partitions, "partitions of the key space");
  line.Example("rivulet explain config/pipelines/temperature.yaml");
  if (const std::optional<int> exit = line.Parse(args)) return *exit;
  if (partitions < 1 || partitions > 65535) return line.Refuse("--partitions must be 1 to 65535");
  ConfigErrors errors;
  for (const std::string& file : files) {
    PipelineSpec spec;
    if (!ReadPipelineFile(file, &spec, &errors)) continue;
    const std::unique_ptr<PipelinePlan> plan = PlanPipeline(spec, {}, &errors);
    if (plan == nullptr) continue;
    std::fputs(ExplainPlan(*plan, static_cast<uint16_t>(partitions)).c_str(), stdout);
  }
  for (const ConfigError& e : errors) std::fprintf(stderr, "%s\n", e.ToString().c_str());
  return errors.empty() ? kExitOk : kExitConfig;
}

}  // namespace rivulet
