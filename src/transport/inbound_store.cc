#include "transport/inbound_store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace rivulet {
namespace {

constexpr std::string_view kSuffix = ".qos2";
constexpr std::string_view kUnfinished = ".tmp";
constexpr size_t kMaxKeyBytes = 64;

bool IsKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxKeyBytes &&
         std::all_of(key.begin(), key.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

}  // namespace

std::string InboundStore::PathOf(const std::string& key) const {
  return directory_ + "/" + key + std::string(kSuffix);
}

Status InboundStore::Load() {
  if (directory_.empty()) return Status::Ok();
  std::error_code error;
  std::filesystem::directory_iterator files(directory_, error);
  if (error) {
    return Status(ErrorCode::kFileNotReadable, "directory '" + directory_ +
                                                   "' for QoS 2 messages: " + error.message() +
                                                   "; it must exist and be readable");
  }
  const std::lock_guard lock(mutex_);
  for (; files != std::filesystem::directory_iterator(); files.increment(error)) {
    if (error) break;
    const std::string name = files->path().filename().string();
    if (!std::string_view(name).ends_with(kSuffix)) continue;
    const std::string key = name.substr(0, name.size() - kSuffix.size());
    std::ifstream in(files->path(), std::ios::binary);
    if (!IsKey(key) || !in) continue;
    entries_[key] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  return Status::Ok();
}

Status InboundStore::Put(const std::string& key, std::string bytes) {
  if (!IsKey(key)) return Status(ErrorCode::kIo, "not a key for a QoS 2 message: '" + key + "'");
  const std::lock_guard lock(mutex_);
  const std::string& kept = entries_[key] = std::move(bytes);
  if (directory_.empty()) return Status::Ok();
  const std::string path = PathOf(key);
  const std::string unfinished = path + std::string(kUnfinished);
  std::ofstream out(unfinished, std::ios::binary | std::ios::trunc);
  out.write(kept.data(), static_cast<std::streamsize>(kept.size()));
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(unfinished, path, error);
  if (!out || error) {
    return Status(ErrorCode::kIo, "QoS 2 message cannot be written to '" + path +
                                      "'; check space and permissions");
  }
  return Status::Ok();
}

void InboundStore::Remove(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (frozen_ || entries_.erase(key) == 0 || directory_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(PathOf(key), ignored);
}

void InboundStore::SetFrozen(bool frozen) {
  const std::lock_guard lock(mutex_);
  frozen_ = frozen;
}

bool InboundStore::Get(const std::string& key, std::string* bytes) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return false;
  *bytes = found->second;
  return true;
}

bool InboundStore::Contains(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return entries_.contains(key);
}

std::vector<std::string> InboundStore::Keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [key, bytes] : entries_) keys.push_back(key);
  return keys;
}

}  // namespace rivulet
