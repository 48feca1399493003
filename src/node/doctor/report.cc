#include "node/doctor/report.h"

#include <algorithm>

#include "base/json_writer.h"
#include "node/doctor/doctor.h"

namespace rivulet {
namespace {

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

size_t NameWidth() {
  size_t width = 0;
  for (const DoctorCheck& check : DoctorChecks()) {
    width = std::max(width, std::string_view(check.name).size());
  }
  return width;
}

// What is to be seen at a glance is in capitals.
std::string_view Mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::kWarning: return "WARNING";
    case Verdict::kFailed: return "FAILED";
    default: return VerdictName(verdict);
  }
}

void AppendText(std::string* json, std::string_view name, std::string_view value) {
  AppendJsonString(json, name);
  *json += ':';
  AppendJsonString(json, value);
}

void AppendCount(std::string* json, std::string_view name, size_t value) {
  AppendJsonString(json, name);
  *json += ':';
  AppendJsonInt(json, static_cast<int64_t>(value));
  *json += ',';
}

}  // namespace

DoctorSummary Summarise(const std::vector<Finding>& findings) {
  DoctorSummary summary;
  for (const Finding& finding : findings) {
    switch (finding.verdict) {
      case Verdict::kOk: ++summary.ok; break;
      case Verdict::kSkipped: ++summary.skipped; break;
      case Verdict::kWarning: ++summary.warnings; break;
      case Verdict::kFailed: ++summary.failed; break;
    }
  }
  return summary;
}

std::string DoctorText(const std::vector<Finding>& findings) {
  constexpr size_t kMarkWidth = 9;
  const size_t name_width = NameWidth() + 2;
  const std::string margin(kMarkWidth + name_width, ' ');
  std::string text;
  for (const Finding& finding : findings) {
    text += Padded(std::string(Mark(finding.verdict)), kMarkWidth) +
            Padded(finding.check, name_width) + finding.found + "\n";
    if (!finding.expected.empty()) text += margin + "expected: " + finding.expected + "\n";
    if (!finding.advice.empty()) text += margin + "to do: " + finding.advice + "\n";
  }
  const DoctorSummary s = Summarise(findings);
  text += "\n" + std::to_string(s.ok) + " ok, " + std::to_string(s.warnings) +
          (s.warnings == 1 ? " warning, " : " warnings, ") + std::to_string(s.failed) + " failed, " +
          std::to_string(s.skipped) + " skipped\n";
  return text;
}

std::string DoctorJson(const Subject& subject, const std::vector<Finding>& findings) {
  std::string json = "{";
  AppendText(&json, "version", RIVULET_VERSION);
  json += ',';
  AppendText(&json, "node_file", subject.node_file);
  json += ',';
  AppendText(&json, "node", subject.node ? subject.node->name : "");
  json += ',';
  const DoctorSummary s = Summarise(findings);
  AppendCount(&json, "ok", s.ok);
  AppendCount(&json, "warnings", s.warnings);
  AppendCount(&json, "failed", s.failed);
  AppendCount(&json, "skipped", s.skipped);
  json += "\"findings\":[";
  for (const Finding& finding : findings) {
    if (!json.ends_with('[')) json += ',';
    json += "\n{";
    AppendText(&json, "check", finding.check);
    json += ',';
    AppendText(&json, "result", VerdictName(finding.verdict));
    json += ',';
    AppendText(&json, "found", finding.found);
    json += ',';
    AppendText(&json, "expected", finding.expected);
    json += ',';
    AppendText(&json, "advice", finding.advice);
    json += '}';
  }
  return json + "\n]}\n";
}

}  // namespace rivulet
