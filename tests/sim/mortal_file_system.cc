#include "sim/mortal_file_system.h"

#include <utility>

namespace rivulet::sim {

Status MortalFileSystem::State::Live() {
  if (dead) return Status(ErrorCode::kIo, "the simulated process is dead");
  if (left > 0 && --left == 0) {
    dead = true;
    disk->FailOperation(1);
  }
  return Status::Ok();
}

class MortalFileSystem::Appender final : public AppendFile {
 public:
  Appender(std::shared_ptr<State> state, std::unique_ptr<AppendFile> file)
      : state_(std::move(state)), file_(std::move(file)) {}
  Status Append(std::string_view bytes) override {
    RIVULET_RETURN_IF_ERROR(state_->Live());
    return file_->Append(bytes);
  }
  Status Sync() override {
    RIVULET_RETURN_IF_ERROR(state_->Live());
    // The kernel goes on writing for a process that died: its disk has no fault.
    if (state_->dead) return Status(ErrorCode::kIo, "the simulated process is dead");
    return file_->Sync();
  }
  uint64_t size() const override { return file_->size(); }

 private:
  const std::shared_ptr<State> state_;
  const std::unique_ptr<AppendFile> file_;
};

Result<std::unique_ptr<AppendFile>> MortalFileSystem::OpenAppend(const std::string& path,
                                                                 uint64_t reserve) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file,
                           state_->disk->OpenAppend(path, reserve));
  return std::unique_ptr<AppendFile>(std::make_unique<Appender>(state_, std::move(file)));
}

Status MortalFileSystem::Truncate(const std::string& path, uint64_t size) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  return state_->disk->Truncate(path, size);
}

Status MortalFileSystem::Remove(const std::string& path) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  return state_->disk->Remove(path);
}

Status MortalFileSystem::Rename(const std::string& from, const std::string& to) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  return state_->disk->Rename(from, to);
}

Status MortalFileSystem::CreateDirectories(const std::string& path) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  return state_->disk->CreateDirectories(path);
}

Status MortalFileSystem::SyncDirectory(const std::string& path) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  return state_->disk->SyncDirectory(path);
}

}  // namespace rivulet::sim
