// The node file and its pipelines, as `rivulet validate` sees them.
#include "node/doctor/checks.h"

namespace rivulet {
namespace {

void ReportFaults(const ConfigErrors& faults, const std::string& advice, Findings* findings) {
  for (const ConfigError& fault : faults) findings->Fail(fault.ToString(), "", advice);
}

bool AnyUnreadable(const ConfigErrors& faults) {
  for (const ConfigError& fault : faults) {
    if (fault.code == ErrorCode::kFileNotReadable || fault.code == ErrorCode::kSecretNotReadable) {
      return true;
    }
  }
  return false;
}

}  // namespace

void CheckConfig(Subject* subject, Findings* findings) {
  if (subject->node) {
    findings->Ok(subject->node_file + ": node " + subject->node->name + ", data in " +
                 subject->node->data_directory);
    return;
  }
  std::string advice = "correct the node file; the checks that need it are skipped until then";
  if (subject->host->User() != 0 && AnyUnreadable(subject->node_faults)) {
    advice = "check path and permissions; run 'sudo rivulet doctor' where files are not for all";
  }
  ReportFaults(subject->node_faults, advice, findings);
}

void CheckPipelines(Subject* subject, Findings* findings) {
  ReportFaults(subject->pipeline_faults,
               "correct the file; 'rivulet validate --config " + subject->node_file +
                   "' shows all its faults",
               findings);
  if (!findings->clean()) return;
  if (subject->pipelines.empty()) {
    findings->Warn("no pipeline files", "at least one pipeline",
                   "put pipelines where 'pipelines' of the node file says, then reload the node");
    return;
  }
  std::string names;
  for (const auto& plan : subject->pipelines) names += (names.empty() ? "" : ", ") + plan->name;
  findings->Ok("valid, tables readable: " + names);
}

}  // namespace rivulet
