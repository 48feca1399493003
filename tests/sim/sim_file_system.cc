#include "sim/sim_file_system.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rivulet::sim {
namespace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

// What the medium may hold of a file after the plug was pulled.
std::string AfterPowerCut(const std::string& content, const std::string& synced, Random* random) {
  if (!content.starts_with(synced)) {
    // Cut shorter and perhaps written again since: the old bytes, or the new ones.
    return random->Chance(0.5) ? synced : content;
  }
  const size_t unsynced = content.size() - synced.size();
  if (unsynced == 0) return synced;
  const size_t kept = random->Below(unsynced + 1);
  std::string result = content.substr(0, synced.size() + kept);
  const bool garbage = random->Chance(0.3);
  const bool zeros = random->Chance(0.3);
  if (garbage || zeros) {
    const size_t tail = random->Below(unsynced - kept + 1);
    for (size_t i = 0; i < tail; ++i) {
      result.push_back(garbage ? static_cast<char>(random->Below(256)) : '\0');
    }
  }
  return result;
}

}  // namespace

void SimFileSystem::File::ForgetUnsynced() {
  const auto differ = std::mismatch(content.begin(), content.end(), synced.begin(), synced.end());
  const auto begin = static_cast<size_t>(differ.first - content.begin());
  if (begin == content.size()) return;
  synced = content;
  if (!forgotten.empty() && forgotten.back().end == begin) {
    forgotten.back().end = content.size();
  } else {
    forgotten.push_back({begin, content.size()});
  }
}

void SimFileSystem::File::Cut(size_t size) {
  content.resize(size);
  if (forgotten.empty()) return;
  synced.resize(std::min(synced.size(), size));
  while (!forgotten.empty() && forgotten.back().begin >= size) forgotten.pop_back();
  if (!forgotten.empty()) forgotten.back().end = std::min(forgotten.back().end, size);
}

void SimFileSystem::File::Evict() {
  for (const Range& r : forgotten) std::fill_n(content.begin() + r.begin, r.end - r.begin, '\0');
}

// What the medium may hold after the plug was pulled.
void SimFileSystem::File::PowerCut(Random* random) {
  std::string left = synced;
  if (!forgotten.empty() && forgotten.back().end == left.size()) {
    // Nothing behind it was written. Some of it may have been, before the error.
    left.resize(forgotten.back().begin);
    forgotten.pop_back();
  }
  left = AfterPowerCut(content, left, random);
  for (const Range& r : forgotten) std::fill_n(left.begin() + r.begin, r.end - r.begin, '\0');
  forgotten.clear();
  content = synced = std::move(left);
}

Status SimFileSystem::State::Tick(const std::string& path) {
  ++operations;
  if (fail_at.erase(operations) == 0) return Status::Ok();
  return Status(fail_code, "simulated failure at '" + path + "'");
}

Result<std::shared_ptr<SimFileSystem::File>> SimFileSystem::State::Find(
    const std::string& path) const {
  const auto it = names.find(path);
  if (it == names.end()) return Status(ErrorCode::kNotFound, "no file '" + path + "'");
  return it->second;
}

void SimFileSystem::State::GiveBack(uint64_t bytes) {
  if (free_bytes <= std::numeric_limits<uint64_t>::max() - bytes) free_bytes += bytes;
}

class SimFileSystem::Appender final : public OutputFile {
 public:
  Appender(std::shared_ptr<State> state, std::shared_ptr<File> file, std::string path)
      : state_(std::move(state)),
        file_(std::move(file)),
        path_(std::move(path)),
        size_(file_->content.size()),
        generation_(state_->generation) {}

  Status Append(std::string_view bytes) override {
    std::lock_guard lock(state_->mutex);
    if (generation_ != state_->generation) return Gone();
    const Status status = state_->Tick(path_);
    if (!status.ok()) {
      Write(bytes.substr(0, std::min<uint64_t>(bytes.size() / 2, state_->free_bytes)));
      return status;
    }
    ++state_->appends;
    const bool fits = bytes.size() <= state_->free_bytes;
    Write(bytes.substr(0, std::min<uint64_t>(bytes.size(), state_->free_bytes)));
    if (fits) size_ += bytes.size();
    if (fits) return Status::Ok();
    return Status(ErrorCode::kDiskFull, "simulated disk is full at '" + path_ + "'");
  }

  Status Sync() override {
    std::lock_guard lock(state_->mutex);
    if (generation_ != state_->generation) return Gone();
    const Status status = state_->Tick(path_);
    if (!status.ok()) {
      file_->ForgetUnsynced();
      state_->forgetful.push_back(file_);
      return status;
    }
    ++state_->syncs;
    if (file_->content.starts_with(file_->synced)) {
      file_->synced.append(file_->content, file_->synced.size());
    } else {
      file_->synced = file_->content;
    }
    return Status::Ok();
  }

  uint64_t size() const override {
    std::lock_guard lock(state_->mutex);
    return file_->content.size();
  }

  Status Cut(uint64_t size) override {
    std::lock_guard lock(state_->mutex);
    if (generation_ != state_->generation) return Gone();
    RIVULET_RETURN_IF_ERROR(state_->Tick(path_));
    if (size < file_->content.size()) state_->GiveBack(file_->content.size() - size);
    file_->Cut(size);
    size_ = size;
    return Status::Ok();
  }

  bool InPlace() const override {
    std::lock_guard lock(state_->mutex);
    const auto named = state_->names.find(path_);
    return generation_ == state_->generation && named != state_->names.end() &&
           named->second == file_ && file_->content.size() == size_;
  }

 private:
  static Status Gone() { return Status(ErrorCode::kIo, "the simulated process is gone"); }

  void Write(std::string_view bytes) {
    file_->content.append(bytes);
    state_->bytes_appended += bytes.size();
    if (state_->free_bytes != std::numeric_limits<uint64_t>::max()) {
      state_->free_bytes -= bytes.size();
    }
  }

  const std::shared_ptr<State> state_;
  const std::shared_ptr<File> file_;
  const std::string path_;
  uint64_t size_;  // without what failed appends left
  const uint64_t generation_;
};

class SimFileSystem::Viewer final : public ReadFile {
 public:
  Viewer(std::shared_ptr<State> state, std::shared_ptr<File> file)
      : state_(std::move(state)), file_(std::move(file)), generation_(state_->generation) {}

  Result<size_t> Read(uint64_t position, size_t n, char* buffer) override {
    std::lock_guard lock(state_->mutex);
    if (generation_ != state_->generation) {
      return Status(ErrorCode::kIo, "the simulated process is gone");
    }
    const std::string& content = file_->content;
    if (position >= content.size()) return size_t{0};
    const size_t got = std::min<size_t>(n, content.size() - position);
    std::memcpy(buffer, content.data() + position, got);
    return got;
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<File> file_;
  const uint64_t generation_;
};

SimFileSystem::SimFileSystem() : state_(std::make_shared<State>()) {}

void SimFileSystem::Crash() {
  std::lock_guard lock(state_->mutex);
  ++state_->generation;
  state_->fail_at.clear();
}

void SimFileSystem::PowerCut(Random* random) {
  std::lock_guard lock(state_->mutex);
  ++state_->generation;
  state_->fail_at.clear();
  Names names = state_->durable_names;
  for (const NameChange& change : state_->changes) {
    if (random->Chance(0.5)) continue;
    if (!change.from.empty()) names.erase(change.from);
    if (change.file == nullptr) {
      names.erase(change.to);
    } else {
      names[change.to] = change.file;
    }
  }
  state_->changes.clear();
  for (auto& [path, file] : names) {
    file->PowerCut(random);
  }
  state_->names = names;
  state_->durable_names = std::move(names);
}

void SimFileSystem::FailOperations(const std::vector<uint64_t>& numbers, ErrorCode code) {
  std::lock_guard lock(state_->mutex);
  state_->fail_at.clear();
  for (const uint64_t n : numbers) state_->fail_at.insert(state_->operations + n);
  state_->fail_code = code;
}

void SimFileSystem::EvictForgotten() {
  std::lock_guard lock(state_->mutex);
  for (const auto& known : state_->forgetful) {
    if (const auto file = known.lock()) file->Evict();
  }
}

void SimFileSystem::SetFreeBytes(uint64_t bytes) {
  std::lock_guard lock(state_->mutex);
  state_->free_bytes = bytes;
}

uint64_t SimFileSystem::operations() const {
  std::lock_guard lock(state_->mutex);
  return state_->operations;
}

std::string SimFileSystem::Contents(const std::string& path) const {
  std::lock_guard lock(state_->mutex);
  const auto it = state_->names.find(path);
  return it == state_->names.end() ? std::string() : it->second->content;
}

void SimFileSystem::SetContents(const std::string& path, std::string bytes) {
  std::lock_guard lock(state_->mutex);
  auto file = std::make_shared<File>();
  file->content = bytes;
  file->synced = std::move(bytes);
  state_->names[path] = file;
  state_->durable_names[path] = file;
  state_->directories.insert(DirectoryOf(path));
}

uint64_t SimFileSystem::bytes_appended() const {
  std::lock_guard lock(state_->mutex);
  return state_->bytes_appended;
}

uint64_t SimFileSystem::appends() const {
  std::lock_guard lock(state_->mutex);
  return state_->appends;
}

uint64_t SimFileSystem::syncs() const {
  std::lock_guard lock(state_->mutex);
  return state_->syncs;
}

Result<std::unique_ptr<AppendFile>> SimFileSystem::OpenAppend(const std::string& path, uint64_t) {
  std::lock_guard lock(state_->mutex);
  RIVULET_RETURN_IF_ERROR(state_->Tick(path));
  if (!state_->directories.contains(DirectoryOf(path))) {
    return Status(ErrorCode::kNotFound, "no directory for '" + path + "'");
  }
  std::shared_ptr<File>& file = state_->names[path];
  if (file == nullptr) {
    file = std::make_shared<File>();
    state_->changes.push_back({"", path, file});
  }
  return std::unique_ptr<AppendFile>(std::make_unique<Appender>(state_, file, path));
}

Result<std::unique_ptr<OutputFile>> SimFileSystem::OpenOutput(const std::string& path, OutputUse use) {
  std::lock_guard lock(state_->mutex);
  RIVULET_RETURN_IF_ERROR(state_->Tick(path));
  if (!state_->directories.contains(DirectoryOf(path))) {
    return Status(ErrorCode::kNotFound, "no directory for '" + path + "'");
  }
  const auto named = state_->names.find(path);
  const bool there = named != state_->names.end();
  if (!there && use == OutputUse::kOwn) return Status(ErrorCode::kNotFound, "no file '" + path + "'");
  if (there && use == OutputUse::kNew && !named->second->content.empty()) {
    return Status(ErrorCode::kForeignFile, "'" + path + "' holds something");
  }
  std::shared_ptr<File>& file = state_->names[path];
  if (!there) {
    file = std::make_shared<File>();
    state_->changes.push_back({"", path, file});
  }
  if (use == OutputUse::kReplace) file->Cut(0);
  return std::unique_ptr<OutputFile>(std::make_unique<Appender>(state_, file, path));
}

Result<std::unique_ptr<ReadFile>> SimFileSystem::OpenRead(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  RIVULET_ASSIGN_OR_RETURN(std::shared_ptr<File> file, state_->Find(path));
  return std::unique_ptr<ReadFile>(std::make_unique<Viewer>(state_, std::move(file)));
}

Result<uint64_t> SimFileSystem::FileSize(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  RIVULET_ASSIGN_OR_RETURN(const std::shared_ptr<File> file, state_->Find(path));
  return static_cast<uint64_t>(file->content.size());
}

Status SimFileSystem::Truncate(const std::string& path, uint64_t size) {
  std::lock_guard lock(state_->mutex);
  RIVULET_RETURN_IF_ERROR(state_->Tick(path));
  RIVULET_ASSIGN_OR_RETURN(const std::shared_ptr<File> file, state_->Find(path));
  if (size < file->content.size()) state_->GiveBack(file->content.size() - size);
  file->Cut(size);
  return Status::Ok();
}

Status SimFileSystem::Remove(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  RIVULET_RETURN_IF_ERROR(state_->Tick(path));
  RIVULET_ASSIGN_OR_RETURN(const std::shared_ptr<File> file, state_->Find(path));
  state_->GiveBack(file->content.size());
  state_->names.erase(path);
  state_->changes.push_back({"", path, nullptr});
  return Status::Ok();
}

Status SimFileSystem::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(state_->mutex);
  RIVULET_RETURN_IF_ERROR(state_->Tick(from));
  RIVULET_ASSIGN_OR_RETURN(std::shared_ptr<File> file, state_->Find(from));
  state_->names.erase(from);
  state_->names[to] = file;
  state_->changes.push_back({from, to, std::move(file)});
  return Status::Ok();
}

// Directories are durable at once, as in the real implementation.
Status SimFileSystem::CreateDirectories(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  RIVULET_RETURN_IF_ERROR(state_->Tick(path));
  for (std::string p = path; !p.empty(); p = DirectoryOf(p)) state_->directories.insert(p);
  return Status::Ok();
}

Status SimFileSystem::SyncDirectory(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  RIVULET_RETURN_IF_ERROR(state_->Tick(path));
  ++state_->syncs;
  std::vector<NameChange> kept;
  for (NameChange& change : state_->changes) {
    if (DirectoryOf(change.to) != path) {
      kept.push_back(std::move(change));
      continue;
    }
    if (!change.from.empty()) state_->durable_names.erase(change.from);
    if (change.file == nullptr) {
      state_->durable_names.erase(change.to);
    } else {
      state_->durable_names[change.to] = change.file;
    }
  }
  state_->changes = std::move(kept);
  return Status::Ok();
}

Result<std::vector<std::string>> SimFileSystem::List(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  if (!state_->directories.contains(path)) {
    return Status(ErrorCode::kNotFound, "no directory '" + path + "'");
  }
  std::vector<std::string> found;
  for (const auto& [name, file] : state_->names) {
    if (DirectoryOf(name) == path) found.push_back(name.substr(path.size() + 1));
  }
  return found;
}

Result<uint64_t> SimFileSystem::FreeBytes(const std::string&) {
  std::lock_guard lock(state_->mutex);
  return state_->free_bytes;
}

}  // namespace rivulet::sim
