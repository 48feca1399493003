// LineLog: the lines of a replay as the log that pipelines read.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "node/engine/input_log.h"
#include "node/replay/line_input.h"

namespace rivulet {

// One thread.
class LineLog final : public InputLog {
 public:
  // `unit`: of times that lines bring.
  LineLog(std::unique_ptr<LineInput> input, TimeUnit unit)
      : input_(std::move(input)), unit_(unit), begin_{input_->offset()}, batch_{begin_, begin_, {}} {}

  LogId id() const override { return {}; }
  Result<Offset> begin() const override { return begin_; }
  Offset end() const override { return batch_.end; }
  Offset begin_of_new() const override { return begin_; }
  // Lines before are passed over. Errors: those of LineInput::SkipTo.
  Status AdvanceTo(Offset to) override;
  Status Prepare(Offset) override { return Status::Ok(); }
  // Lines are read once: whoever reads must be the only one, and go on where the last call ended or before.
  Status Read(SourceGroup* source, Offset from, size_t entries, size_t bytes,
              std::span<const InputMessage>* messages, uint64_t* next) override;

  // Nothing more is read.
  void End() { ended_ = true; }

  const LineInput& input() const { return *input_; }

 private:
  // What was read last: lines from [begin, end).
  struct Batch {
    Offset begin, end;
    std::vector<InputMessage> messages;
  };
  const std::unique_ptr<LineInput> input_;
  const TimeUnit unit_;
  const Offset begin_;
  Batch batch_;
  bool ended_ = false;
};

}  // namespace rivulet
