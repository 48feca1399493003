// Owners and modes: of the data directory, the configuration, secrets and keys.
#include <algorithm>

#include "node/doctor/checks.h"

namespace rivulet {
namespace {

constexpr uint32_t kOthersRead = 04, kOthersWrite = 02, kGroupWrite = 020;

std::string Octal(uint32_t mode) {
  std::string text;
  for (int shift = 6; shift >= 0; shift -= 3) {
    text += static_cast<char>('0' + ((mode >> shift) & 7));
  }
  return text;
}

void CheckUser(const Subject& subject, Findings* findings) {
  if (subject.user.uid != 0 || !subject.host->Stat(subject.node->data_directory).ok()) return;
  findings->Warn("the node runs as root: the data directory is root's", "a user of its own",
                 "stop the node; 'adduser --system --group rivulet', 'chown -R rivulet: " +
                     subject.node->data_directory + "', and start it as that user");
}

void CheckDataDirectory(const Subject& subject, const FileInfo& info, Findings* findings) {
  const std::string& path = subject.node->data_directory;
  if (info.kind != FileInfo::Kind::kDirectory) {
    findings->Fail("'" + path + "' is not a folder", "the data directory",
                   "remove what is there, or correct 'node.data'");
    return;
  }
  for (const Access access : {Access::kRead, Access::kWrite, Access::kEnter}) {
    if (NodeMay(subject, access, path)) continue;
    findings->Fail("user " + subject.user.name + " may not " +
                       (access == Access::kRead    ? "list"
                        : access == Access::kWrite ? "write in"
                                                   : "enter") +
                       " " + path + " (mode " + Octal(info.mode) + ")",
                   "a data directory that is the node's",
                   "'chown -R " + subject.user.name + ": " + path + "' and 'chmod 750 " + path + "'");
    return;
  }
  if ((info.mode & kOthersWrite) != 0) {
    findings->Warn("everybody may write in " + path + " (mode " + Octal(info.mode) + ")",
                   "only the node", "'chmod 750 " + path + "'");
  }
}

// Files that another user made, as when the node was once started by hand as root.
void CheckOwners(const Subject& subject, Findings* findings) {
  const Host& host = *subject.host;
  const std::string& data = subject.node->data_directory;
  for (const char* folder : {"state", "lane-0", "mqtt"}) {
    const std::string path = data + "/" + folder;
    const Result<std::vector<std::string>> names = host.List(path);
    if (!names.ok()) continue;
    std::vector<std::string> files{path};
    for (const std::string& name : *names) files.push_back(path + "/" + name);
    for (const std::string& file : files) {
      const Result<FileInfo> info = host.Stat(file);
      if (!info.ok() || info->uid == subject.user.uid) continue;
      findings->Fail(file + " belongs to " + host.Lookup(info->uid).name + ", the data directory to " +
                         subject.user.name,
                     "one owner", "stop the node, 'chown -R " + subject.user.name + ": " + data +
                         "', and do not run it as another user again");
      return;
    }
  }
}

// Configuration: the node reads it, and only its owner changes it.
void CheckConfiguration(const Subject& subject, const std::string& path, Findings* findings) {
  const Result<FileInfo> info = subject.host->Stat(path);
  if (!info.ok()) return;
  if (!NodeMay(subject, Access::kRead, path)) {
    findings->Fail("user " + subject.user.name + " may not read " + path + " (mode " +
                       Octal(info->mode) + ")",
                   "a file that the node can read", "'chmod a+r " + path + "', and a+x its folders");
  }
  if ((info->mode & kOthersWrite) != 0) {
    findings->Warn("everybody may change " + path + " (mode " + Octal(info->mode) + ")",
                   "only its owner", "'chmod o-w " + path + "'");
  }
}

void CheckSecret(const Subject& subject, const std::string& path, Findings* findings) {
  const Result<FileInfo> info = subject.host->Stat(path);
  if (!info.ok()) return;
  if (!NodeMay(subject, Access::kRead, path)) {
    findings->Fail("user " + subject.user.name + " may not read the secret " + path + " (mode " +
                       Octal(info->mode) + ")",
                   "a secret that the node, and nobody else, can read",
                   "'chown " + subject.user.name + " " + path + "' and 'chmod 400 " + path + "'");
  }
  if ((info->mode & (kOthersRead | kOthersWrite | kGroupWrite)) != 0) {
    findings->Warn("others may read or change the secret " + path + " (mode " + Octal(info->mode) +
                       ")",
                   "a secret that only the node can read",
                   "'chmod 400 " + path + "', or 440 with a group of the node's; if it was open for "
                   "long, choose a new secret");
  }
}

}  // namespace

void CheckPermissions(Subject* subject, Findings* findings) {
  const NodeSpec& node = *subject->node;
  const Host& host = *subject->host;
  const Result<FileInfo> data = host.Stat(node.data_directory);
  if (data.ok()) {
    CheckDataDirectory(*subject, *data, findings);
    CheckOwners(*subject, findings);
  } else {
    const std::string above = NearestExisting(host, node.data_directory);
    if (!NodeMay(*subject, Access::kWrite, above)) {
      findings->Fail(node.data_directory + " does not exist, and user " + subject->user.name +
                         " may not make it in " + above,
                     "a data directory",
                     "as root: 'install -d -m 750 -o rivulet -g rivulet " + node.data_directory +
                         "', or run doctor as the node's user");
    }
  }
  CheckUser(*subject, findings);
  CheckConfiguration(*subject, subject->node_file, findings);
  for (const std::string& file : subject->pipeline_files) {
    CheckConfiguration(*subject, file, findings);
  }
  const std::vector<std::string>& secrets = subject->secrets.paths;
  for (const std::string& file : secrets) CheckSecret(*subject, file, findings);
  if (!findings->clean()) return;
  findings->Ok("user " + subject->user.name + " can do what the node does" +
               (secrets.empty() ? "" : ", secrets are not for others"));
}

}  // namespace rivulet
