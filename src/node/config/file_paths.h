// Which file a path in a node file names.
#pragma once

#include <string>
#include <string_view>

#include "node/config/faults.h"
#include "node/config/reader.h"
#include "node/config/yaml_tree.h"

namespace rivulet {

// Before the name of a secret that the service manager hands over.
inline constexpr std::string_view kCredentialPrefix = "credential:";

struct FilePaths {
  std::string directory;  // where relative paths begin
  CredentialUse credentials = CredentialUse::kNeeded;

  // `path` made absolute, with "." and ".." resolved in the text.
  std::string Resolve(const std::string& path) const;

  // The same for a file with a secret or a certificate, which may be one that the service manager hands
  // over: "credential:NAME" is the file NAME in $CREDENTIALS_DIRECTORY (systemd.exec(5), LoadCredential=).
  // Empty when there is none; unless it is not needed here, that has been reported (kSecretNotReadable).
  // `label` is the setting's, for messages.
  std::string ResolveSecret(const std::string& label, const MarkedText& path, Faults* faults) const;
};

}  // namespace rivulet
