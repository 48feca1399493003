// `rivulet run`: the daemon.
#include "node/commands/cli.h"
#include "node/live/daemon.h"

namespace rivulet {

int RunCommand(const Arguments& args) {
  CatchSignals();
  DaemonOptions options;
  options.config = "/etc/rivulet/node.yaml";
  CommandLine line("run", "[--config NODE.yaml]",
                   "Runs the node: takes messages from MQTT into the journal, runs the pipelines, delivers "
                   "results. SIGTERM commits and stops; SIGHUP reads the pipeline files again. A broker that "
                   "is not there is waited for.");
  line.Text("config,c", "NODE.yaml", &options.config, "node file");
  line.Example("rivulet run --config config/node.yaml");
  if (const std::optional<int> exit = line.Parse(args)) return *exit;
  return RunDaemon(options);
}

}  // namespace rivulet
