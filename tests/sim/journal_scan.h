// What a journal's files hold, read beside the journal.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/status.h"
#include "state/file.h"

namespace rivulet::sim {

struct ScannedMessage {
  std::string topic;
  std::string payload;
  int64_t received_us = 0;
  uint16_t packet_id = 0;
  bool assumed = false, resumes = false;
  bool tick() const { return topic.empty() && payload.empty(); }
  bool operator==(const ScannedMessage&) const = default;
};
using JournalContent = std::map<uint64_t, ScannedMessage>;  // by offset

// The readable entries, from about `from` on, of every segment, up to the first damage in each. Changes
// nothing. An absent directory holds nothing. Errors: kIo.
Result<JournalContent> ScanJournal(FileSystem* files, const std::string& directory,
                                   uint64_t from = 0);

}  // namespace rivulet::sim
