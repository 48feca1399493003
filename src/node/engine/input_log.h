// InputLog: numbered messages that pipelines read: a lane's journal, another pipeline's results, the file of
// a replay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/types.h"
#include "node/engine/log_id.h"
#include "node/engine/source_group.h"

namespace rivulet {

// One thread (the engine's).
class InputLog {
 public:
  virtual ~InputLog() = default;

  virtual LogId id() const = 0;
  // What can be read lies in [begin, end). Messages are appended while it is read.
  // Errors: those of the log's medium.
  virtual Result<Offset> begin() const = 0;
  virtual Offset end() const = 0;
  // Where somebody begins who has read nothing: mostly with what comes from now on.
  virtual Offset begin_of_new() const { return end(); }
  // Numbers before `to` must not be given out (again): a reader has seen messages with them.
  virtual Status AdvanceTo(Offset to) = 0;

  // Somebody is going to read from there. Errors: those of Read.
  virtual Status Prepare(Offset from) = 0;
  // What of the messages from `from` on concerns `source`, of at most `entries` messages and about `bytes`,
  // valid until the next call; and in `*next` the position behind them: `from` when there is nothing yet.
  // Errors: those of the log's medium.
  virtual Status Read(SourceGroup* source, Offset from, size_t entries, size_t bytes,
                      std::span<const InputMessage>* messages, uint64_t* next) = 0;
  // Everybody who reads has had a turn.
  virtual void EndRound() {}
};

}  // namespace rivulet
