// The sub-commands of `rivulet`, each in a file of its own. Options and output formats, once
// shipped, are kept compatible.
#pragma once

#include <string>
#include <vector>

namespace rivulet {

// Exit codes, stable: scripts rely on them.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,      // something went wrong while running (E3xxx, E5xxx); `doctor`: a check failed
  kExitUsage = 2,        // the command line is wrong (E1012)
  kExitConfig = 3,       // a pipeline or node file is wrong (E1xxx, E2xxx)
  kExitUnavailable = 4,  // `status`: no daemon answers; `status` of a node that is not ready
  kExitInterrupted = 130 // stopped by SIGINT/SIGTERM before the work was done
};

// `args` without the program and command names.
using Arguments = std::vector<std::string>;

int RunCommand(const Arguments& args);
int ValidateCommand(const Arguments& args);
int ExplainCommand(const Arguments& args);
int ReplayCommand(const Arguments& args);
int GenerateCommand(const Arguments& args);
int StatusCommand(const Arguments& args);
int DoctorCommand(const Arguments& args);
int VersionCommand(const Arguments& args);

}  // namespace rivulet
