// The findings of `rivulet doctor`, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "node/doctor/finding.h"
#include "node/doctor/subject.h"

namespace rivulet {

struct DoctorSummary {
  size_t ok = 0, warnings = 0, failed = 0, skipped = 0;
};
DoctorSummary Summarise(const std::vector<Finding>& findings);

// A line for each finding, with two more for those that ask for something to be done, and a summary.
std::string DoctorText(const std::vector<Finding>& findings);

// One flat object: version, node_file, node, ok, warnings, failed, skipped, findings (check, result,
// found, expected, advice: all text, empty where there is none). Fields are only ever added.
std::string DoctorJson(const Subject& subject, const std::vector<Finding>& findings);

}  // namespace rivulet
