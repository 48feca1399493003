// Who has the data directory. One process can: a second one is refused (E3005).
#include <algorithm>
#include <filesystem>

#include "node/doctor/checks.h"

namespace rivulet {
namespace {

constexpr std::string_view kUnits[] = {"/etc/systemd/system/rivulet.service",
                                       "/usr/lib/systemd/system/rivulet.service",
                                       "/lib/systemd/system/rivulet.service"};
constexpr char kDefaultFile[] = "/etc/rivulet/node.yaml";

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.size() > 200 ? text.substr(0, 200) + "..." : text;
}

// The node file of a command line "rivulet run ..."; empty when it is another command.
std::string NodeFileOf(const Host& host, const LockHolder& holder) {
  const std::vector<std::string>& words = holder.command;
  if (words.size() < 2 || words[1] != "run") return {};
  std::string file = kDefaultFile;
  for (size_t i = 2; i < words.size(); ++i) {
    const bool named = words[i] == "--config" || words[i] == "-c";
    if (named && i + 1 < words.size()) file = words[i + 1];
    if (words[i].starts_with("--config=")) file = words[i].substr(9);
    if (words[i].starts_with("-c") && words[i].size() > 2) file = words[i].substr(2);
  }
  if (!file.starts_with('/')) {
    const Result<std::string> folder = host.Link("/proc/" + std::to_string(holder.pid) + "/cwd");
    if (folder.ok()) file = *folder + "/" + file;
  }
  return std::filesystem::path(file).lexically_normal().string();
}

}  // namespace

void CheckProcess(Subject* subject, Findings* findings) {
  if (!subject->locks_shown) {
    findings->Skip("/proc/locks cannot be read, as in a sandbox");
    return;
  }
  if (!subject->holder) {
    findings->Ok("no node runs on " + subject->node->data_directory);
    return;
  }
  const Host& host = *subject->host;
  const LockHolder& holder = *subject->holder;
  const std::string who = "process " + std::to_string(holder.pid);
  const std::string shown = who + " (" + Joined(holder.command) + ")";
  const std::string file = NodeFileOf(host, holder);
  if (holder.command.empty()) {
    findings->Ok("a process that cannot be seen from here runs on the data directory");
    return;
  }
  if (file != subject->node_file) {
    findings->Fail(shown + " has the data directory " + subject->node->data_directory,
                   "the node of " + subject->node_file + ", or none",
                   "a second process on a data directory is refused (E3005): stop one, or give each "
                   "a 'node.data' of its own");
    return;
  }
  const bool installed = std::any_of(std::begin(kUnits), std::end(kUnits), [&](std::string_view u) {
    return host.Stat(std::string(u)).ok();
  });
  if (installed && holder.control_group.find("rivulet.service") == std::string::npos &&
      file == kDefaultFile) {
    findings->Warn("the node runs, but not as the service: " + shown,
                   "started by 'systemctl start rivulet'",
                   "the service cannot start beside it (E3005): stop it, then start the service");
    return;
  }
  const Result<FileInfo> process = host.Stat("/proc/" + std::to_string(holder.pid));
  if (process.ok() && process->uid != subject->user.uid) {
    findings->Warn("the node runs as " + host.Lookup(process->uid).name + ": " + shown,
                   "run by " + subject->user.name + ", whose the data directory is",
                   "stop it, 'chown -R " + subject->user.name + ": " +
                       subject->node->data_directory + "', and start it as that user");
    return;
  }
  findings->Ok("the node runs: " + who);
}

}  // namespace rivulet
