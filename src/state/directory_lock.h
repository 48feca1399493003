// DirectoryLock: keeps other processes out of a state store's directory.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "state/descriptor.h"

namespace rivulet {

// Holds <directory>/LOCK for as long as it lives. The kernel releases flock with the process, so a
// crash leaves nothing behind.
class DirectoryLock {
 public:
  // Errors: kLocked when another process holds it, kIo.
  Status Take(const std::string& directory);

 private:
  std::unique_ptr<Descriptor> file_;
};

}  // namespace rivulet
