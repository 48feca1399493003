// The files with secrets that a node file names, for a look at who may read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/doctor/host.h"

namespace rivulet {

// The folder of what systemd hands to a unit that runs, where root can read it.
inline constexpr char kServiceCredentials[] = "/run/credentials/rivulet.service";

struct SecretFiles {
  std::vector<std::string> paths;  // absolute
  // A secret that the service manager hands to the service, and that is not at hand here.
  bool withheld = false;
};

// Of `mqtt.password_file`, `http.token_file` and `mqtt.tls.key` of the YAML text of a node file; other
// settings, and faults, are not looked at. `credentials` is the folder of what the service manager has
// handed over, or empty.
SecretFiles FindSecretFiles(const Host& host, std::string_view yaml, const std::string& node_file,
                            const std::string& credentials);

}  // namespace rivulet
