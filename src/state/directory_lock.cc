#include "state/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <system_error>

namespace rivulet {
namespace {

Status Failure(const std::string& path, int error) {
  return Status(ErrorCode::kIo,
                "cannot lock '" + path + "': " + std::generic_category().message(error));
}

}  // namespace

Status DirectoryLock::Take(const std::string& directory) {
  const std::string path = directory + "/LOCK";
  file_ = std::make_unique<Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file_->ok()) return Failure(path, errno);
  if (::flock(file_->get(), LOCK_EX | LOCK_NB) == 0) return Status::Ok();
  if (errno != EWOULDBLOCK) return Failure(path, errno);
  return Status(ErrorCode::kLocked, "the state store '" + directory +
                                        "' is open in another process; stop that one first or "
                                        "use another directory");
}

}  // namespace rivulet
