#include "node/config/file_paths.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace rivulet {
namespace {

bool IsCredentialName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find('/') == name.npos;
}

}  // namespace

std::string FilePaths::Resolve(const std::string& path) const {
  std::error_code error;
  const std::filesystem::path joined = std::filesystem::path(directory) / path;
  const std::filesystem::path absolute = std::filesystem::absolute(joined, error);
  return (error ? joined : absolute).lexically_normal().string();
}

std::string FilePaths::ResolveSecret(const std::string& label, const MarkedText& path,
                                     Faults* faults) const {
  if (!path.text.starts_with(kCredentialPrefix)) return Resolve(path.text);
  const std::string name = path.text.substr(kCredentialPrefix.size());
  if (!IsCredentialName(name)) {
    faults->Add(path.mark, ErrorCode::kBadSettingValue,
                label + " is " + QuoteForMessage(path.text) +
                    "; expected credential:NAME, where NAME is that of LoadCredential= and has no '/'");
    return "";
  }
  const bool needed = credentials == CredentialUse::kNeeded;
  const char* const handed_over = std::getenv("CREDENTIALS_DIRECTORY");
  if (handed_over == nullptr || *handed_over == '\0') {
    if (!needed) return "";
    faults->Add(path.mark, ErrorCode::kSecretNotReadable,
                label + " is " + QuoteForMessage(path.text) +
                    ", but no credentials were handed over ($CREDENTIALS_DIRECTORY is not set); expected "
                    "systemd to start the node with LoadCredential=" + name + ":FILE, or a path here");
    return "";
  }
  const std::string file = std::string(handed_over) + "/" + name;
  if (access(file.c_str(), R_OK) == 0) return file;
  // systemd 252 names the directory to ExecReload= commands too, and shows them nothing in it.
  if (!needed) return "";
  faults->Add(path.mark, ErrorCode::kSecretNotReadable,
              label + ": no credential " + QuoteForMessage(name) +
                  " was handed over; expected LoadCredential=" + name + ":FILE in the service's unit");
  return "";
}

}  // namespace rivulet
