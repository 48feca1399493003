#include "tests/cases/pipeline_harness.h"

#include <algorithm>

#include "node/config/reader.h"
#include "tests/cases/engine_driver.h"

namespace rivulet {

std::unique_ptr<PipelinePlan> PlanText(const std::string& yaml,
                                       const std::vector<std::string>& csv_header,
                                       std::string* why, const std::string& file, bool reads_lines) {
  PipelineSpec spec;
  ConfigErrors errors;
  std::unique_ptr<PipelinePlan> plan;
  PlanOptions options;
  options.replay = reads_lines;
  if (reads_lines) options.csv_header = csv_header;
  if (ReadPipeline(yaml, file, &spec, &errors)) plan = PlanPipeline(spec, options, &errors);
  for (const ConfigError& e : errors) *why += e.ToString() + "\n";
  return plan;
}

Outputs Drive(const std::string& yaml, const std::vector<StreamLine>& lines,
              const DriveOptions& options) {
  return EngineDriver({yaml}, lines, options).Run().front();
}

std::vector<Outputs> DriveChain(const std::vector<std::string>& yamls,
                                const std::vector<StreamLine>& lines, const DriveOptions& options) {
  return EngineDriver(yamls, lines, options).Run();
}

std::string Difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string left = i < a.size() ? a[i] : "(end)";
    const std::string right = i < b.size() ? b[i] : "(end)";
    if (left != right) return "line " + std::to_string(i + 1) + "\n  " + left + "\n  " + right;
  }
  return "";
}

std::string Difference(const Outputs& a, const Outputs& b) {
  const std::string results = Difference(a.results, b.results);
  if (!results.empty()) return "results, " + results;
  const std::string late = Difference(a.late, b.late);
  if (!late.empty()) return "late, " + late;
  const std::string dead = Difference(a.dead, b.dead);
  return dead.empty() ? "" : "dead letters, " + dead;
}

}  // namespace rivulet
