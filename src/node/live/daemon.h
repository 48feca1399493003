// Daemon: the threads, signals and real parts around a Node. What `rivulet run` does.
#pragma once

#include <string>

#include "base/status.h"

namespace rivulet {

struct DaemonOptions {
  std::string config;   // node file
};

// SIGTERM, SIGINT and SIGHUP from here on are taken note of, and served when there is something to serve
// them. The first thing a process that is to run a daemon does: a stop may follow at once.
void CatchSignals();

// Runs until SIGTERM or SIGINT. Returns the process's exit code.
int RunDaemon(const DaemonOptions& options);

}  // namespace rivulet
