// Daemon: the threads, signals and real parts around a Node. What `rivulet run` does.
#pragma once

#include <string>

#include "base/status.h"

namespace rivulet {

struct DaemonOptions {
  std::string config;   // node file
};

// Runs until SIGTERM or SIGINT. Returns the process's exit code.
int RunDaemon(const DaemonOptions& options);

}  // namespace rivulet
