// `rivulet doctor`: what goes wrong on real machines, found and explained.
#include <signal.h>

#include <cstdio>
#include <cstdlib>

#include "base/suggest.h"
#include "node/commands/cli.h"
#include "node/config/file_paths.h"
#include "node/doctor/doctor.h"
#include "node/doctor/report.h"

namespace rivulet {
namespace {

std::vector<std::string> CheckNames() {
  std::vector<std::string> names;
  for (const DoctorCheck& check : DoctorChecks()) names.emplace_back(check.name);
  return names;
}

std::string About() {
  std::string text =
      "Looks for what keeps a node from working well on this machine, and says what to do. It\n"
      "changes nothing, beside a running node or without one. 'sudo' lets it see more. Exit code 1\n"
      "when a check failed; warnings are 0.\n\nChecks:\n";
  for (const DoctorCheck& check : DoctorChecks()) {
    std::string name = check.name;
    name.resize(15, ' ');
    text += "  " + name + check.about + "\n";
  }
  text.pop_back();
  return text;
}

// The folder of the service's credentials: this process's own, or that of the service that runs.
std::string Credentials(const Host& host) {
  const char* const own = std::getenv("CREDENTIALS_DIRECTORY");
  if (own != nullptr && *own != '\0') return own;
  if (!host.Stat(kServiceCredentials).ok()) return {};
  ::setenv("CREDENTIALS_DIRECTORY", kServiceCredentials, 0);  // for the node file's reader
  return kServiceCredentials;
}

}  // namespace

int DoctorCommand(const Arguments& args) {
  std::string node_file = "/etc/rivulet/node.yaml";
  std::vector<std::string> only;
  bool as_json = false, publish = false;
  CommandLine line("doctor", "[--config NODE.yaml] [--only CHECK ...] [--json]", About());
  line.Text("config,c", "NODE.yaml", &node_file, "node file");
  line.Texts("only", "CHECK", &only, "only this check; may be given several times");
  line.Flag("publish", &publish,
            "also send an empty message to each output topic, fields replaced by 'rivulet-doctor', to "
            "see whether the broker allows it; subscribers see it");
  line.Flag("json", &as_json, "print JSON");
  line.Example("sudo rivulet doctor");
  line.Example("rivulet doctor --config config/node.yaml --only clock --only broker");
  if (const std::optional<int> exit = line.Parse(args)) return *exit;
  const std::vector<std::string> names = CheckNames();
  for (const std::string& name : only) {
    bool known = false;
    for (const std::string& other : names) known = known || name == other;
    if (!known) return line.Refuse("there is no check '" + name + "'" + DidYouMean(name, names));
  }

  // A broker that hangs up must not end the report.
  ::signal(SIGPIPE, SIG_IGN);
  const std::unique_ptr<Host> host = NewPosixHost();
  Subject subject = ReadSubject(host.get(), FilePaths{}.Resolve(node_file), Credentials(*host));
  subject.try_publish = publish;
  const std::vector<Finding> findings = Examine(&subject, only);
  const std::string report = as_json ? DoctorJson(subject, findings) : DoctorText(findings);
  std::fwrite(report.data(), 1, report.size(), stdout);
  return Summarise(findings).failed == 0 ? kExitOk : kExitFailure;
}

}  // namespace rivulet
