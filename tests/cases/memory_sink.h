// MemorySink: gathers outputs for a test.
#pragma once

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "node/sinks/sink.h"

namespace rivulet {

// The receiver: outlives crashes of the pipeline, and remembers what it was given.
class MemorySink final : public Sink {
 public:
  explicit MemorySink(std::vector<std::string>* received) : received_(received) {}

  Status Open(SinkCursor* cursor) override {
    next_ = cursor->next;
    REQUIRE_MESSAGE(next_ <= received_->size(), "entries before ", next_, " never came");
    return Status::Ok();
  }
  size_t Offer(std::span<const OutputEntry> entries) override {
    for (const OutputEntry& entry : entries) {
      REQUIRE(entry.sequence == next_);
      if (next_ < received_->size()) {
        REQUIRE((*received_)[next_] == entry.json);
      } else {
        received_->push_back(entry.json);
      }
      ++next_;
    }
    return entries.size();
  }
  SinkCursor Cursor() const override { return {next_, 0}; }
  bool WantsIds() const override { return false; }
  SinkStats Stats() const override { return {}; }

 private:
  std::vector<std::string>* received_;
  uint64_t next_ = 0;
};

}  // namespace rivulet
