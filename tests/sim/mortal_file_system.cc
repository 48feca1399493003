#include "sim/mortal_file_system.h"

#include <algorithm>
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

// Of either kind of file.
template <typename Base>
class MortalFileSystem::Appender : public Base {
 public:
  Appender(std::shared_ptr<State> state, std::unique_ptr<Base> file)
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

 protected:
  const std::shared_ptr<State> state_;
  const std::unique_ptr<Base> file_;
};

class MortalFileSystem::Output final : public Appender<OutputFile> {
 public:
  using Appender::Appender;
  Status Sync() override {
    return state_->bug == PlantedBug::kUnsyncedSink ? Status::Ok() : Appender::Sync();
  }
  Status Cut(uint64_t size) override {
    RIVULET_RETURN_IF_ERROR(state_->Live());
    if (state_->bug == PlantedBug::kUncutSink) return Status::Ok();
    return file_->Cut(size);
  }
  bool InPlace() const override { return file_->InPlace(); }
};

Result<std::unique_ptr<AppendFile>> MortalFileSystem::OpenAppend(const std::string& path,
                                                                 uint64_t reserve) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file,
                           state_->disk->OpenAppend(path, reserve));
  return std::unique_ptr<AppendFile>(
      std::make_unique<Appender<AppendFile>>(state_, std::move(file)));
}

Result<std::unique_ptr<OutputFile>> MortalFileSystem::OpenOutput(const std::string& path,
                                                                 OutputUse use) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  RIVULET_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file, state_->disk->OpenOutput(path, use));
  return std::unique_ptr<OutputFile>(std::make_unique<Output>(state_, std::move(file)));
}

Status MortalFileSystem::Truncate(const std::string& path, uint64_t size) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  return state_->disk->Truncate(path, size);
}

Status MortalFileSystem::Remove(const std::string& path) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  if (state_->bug == PlantedBug::kTrimPastCursors) RemoveSegmentBehind(path);
  return state_->disk->Remove(path);
}

// As if more of the journal had been consumed: but never what is being written.
void MortalFileSystem::RemoveSegmentBehind(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash);
  Result<std::vector<std::string>> names = state_->disk->List(folder);
  if (!path.ends_with(".rvj") || !names.ok()) return;
  std::erase_if(*names, [](const std::string& name) { return !name.ends_with(".rvj"); });
  const auto behind = std::upper_bound(names->begin(), names->end(), path.substr(slash + 1));
  if (behind == names->end() || behind + 1 == names->end()) return;
  (void)state_->disk->Remove(folder + "/" + *behind);
}

Status MortalFileSystem::Rename(const std::string& from, const std::string& to) {
  RIVULET_RETURN_IF_ERROR(state_->Live());
  if (state_->bug == PlantedBug::kLostNotes && to.ends_with("/delivery.notes")) return Status::Ok();
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
