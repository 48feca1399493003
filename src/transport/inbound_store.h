// InboundStore: QoS 2 messages received but not yet released by the broker (between PUBREC and
// PUBREL, MQTT 3.1.1). They are the receiver's responsibility already, and the MQTT library hands
// them to the lane only at PUBREL; so they must outlive the connection and, with a directory, the
// process.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rivulet {

// A small map from key to bytes, in memory or with one file a key. Written through (a kill loses
// nothing) but not synced: a power cut may lose what lies between PUBREC and PUBREL at that moment.
// Keys are the library's ("r-17"); others than [A-Za-z0-9-] are refused. Any thread.
class InboundStore {
 public:
  // `directory` empty: memory only. It belongs to one link.
  explicit InboundStore(std::string directory) : directory_(std::move(directory)) {}

  // Reads what an earlier process left. Unreadable files are left out. Errors: kFileNotReadable
  // when the directory cannot be listed.
  Status Load();

  // Errors: kIo when the file cannot be written (the entry is then kept in memory only).
  Status Put(const std::string& key, std::string bytes);
  // While frozen nothing is removed: the message was not taken and must come again.
  void Remove(const std::string& key);
  void SetFrozen(bool frozen);

  bool Get(const std::string& key, std::string* bytes) const;
  bool Contains(const std::string& key) const;
  std::vector<std::string> Keys() const;  // ascending

 private:
  std::string PathOf(const std::string& key) const;

  const std::string directory_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> entries_;
  bool frozen_ = false;
};

}  // namespace rivulet
