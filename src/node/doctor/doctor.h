// The list of checks of `rivulet doctor`, and running them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "node/doctor/finding.h"
#include "node/doctor/subject.h"

namespace rivulet {

struct DoctorCheck {
  const char* name;  // stable: scripts choose checks by it
  void (*run)(Subject*, Findings*);
  bool needs_node;   // skipped when the node file has faults
  const char* about;
};

// In the order in which they run: what others build on comes first.
std::span<const DoctorCheck> DoctorChecks();

// Runs the checks named, or all when none is; each has at least one finding.
std::vector<Finding> Examine(Subject* subject, const std::vector<std::string>& only);

}  // namespace rivulet
