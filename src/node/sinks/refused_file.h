// RefusedFile: the results that no receiver takes, in a file of the data directory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log_message.h"
#include "base/types.h"
#include "node/sinks/sink.h"
#include "state/file.h"
#include "transport/topic.h"

namespace rivulet {

// `refused.ndjson`, one JSON object a line:
//
//   { "time_ms", "pipeline", "sink", "topic", "id", "reason", "result" }
//
// With kMostBytes it becomes `refused.ndjson.1`, and the one before that goes: the newest are always
// there, and never more than twice that many bytes. What is set aside is said in the log once for each
// sink. A node that is killed before its next commit may keep a result twice. One thread.
class RefusedFile final : public RefusedResults {
 public:
  static constexpr uint64_t kMostBytes = 8 << 20;

  RefusedFile(FileSystem* files, std::string directory, std::function<EventTime()> clock,
              LogFunction log)
      : files_(files), path_(std::move(directory) + "/refused.ndjson"), clock_(std::move(clock)),
        log_(std::move(log)) {}

  Status Keep(const RefusedResult& result) override;
  Status Sync() override;

  // By pipeline.
  void SetLoops(std::map<std::string, std::vector<TopicPattern>, std::less<>> topics) {
    loops_ = std::move(topics);
  }
  bool ComesBack(std::string_view pipeline, std::string_view topic) const override;

 private:
  FileSystem* const files_;
  const std::string path_;
  const std::function<EventTime()> clock_;
  const LogFunction log_;
  std::unique_ptr<AppendFile> file_;
  bool unsynced_ = false;
  std::string line_;
  std::set<std::string> said_;  // sinks
  std::map<std::string, std::vector<TopicPattern>, std::less<>> loops_;
};

}  // namespace rivulet
