// ResultsLog: a pipeline's results as the log that others read: its output log. The position of the pipeline
// that reads it is the cursor.
//
// Each result comes with its event time (as arrival) and W just before it; behind the last one that can be
// read comes a punctuation: how far all results are out. See Pipeline::EmitResults for why it does not
// matter where those fall.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "node/engine/input_log.h"
#include "node/engine/pipeline.h"

namespace rivulet {

// One thread (the engine's).
class ResultsLog final : public InputLog {
 public:
  // What was read last, by whichever log it is given to: there can be hundreds of logs, and one is read at a
  // time.
  struct Buffer {
    std::vector<InputMessage> messages;
    std::string bytes;            // the results, kPayloadPadding behind them
    std::vector<uint64_t> ends;   // by message
  };

  // Both must outlive it.
  ResultsLog(const Pipeline* pipeline, Buffer* buffer) : pipeline_(*pipeline), buffer_(*buffer) {}

  LogId id() const override { return LogId::OfResults(pipeline_.id()); }
  Result<Offset> begin() const override;
  Offset end() const override { return Offset{log().next()}; }
  // Committed results are not lost: nothing to do.
  Status AdvanceTo(Offset) override { return Status::Ok(); }
  Status Prepare(Offset) override { return Status::Ok(); }
  // Only what is committed. Valid until the next call of a log with the same buffer. Errors: those of the
  // store.
  Status Read(SourceGroup* source, Offset from, size_t entries, size_t bytes,
              std::span<const InputMessage>* messages, uint64_t* next) override;

 private:
  const OutputChannel& log() const { return pipeline_.channel(ChannelKind::kResults); }
  Status ReadEntries(uint64_t from, size_t entries, size_t bytes, uint64_t* next);

  const Pipeline& pipeline_;
  Buffer& buffer_;
};

}  // namespace rivulet
