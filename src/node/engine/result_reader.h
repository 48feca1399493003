// ResultReader: another pipeline's results as the messages of turns. Its output log is the log, the position
// of the pipeline that reads it the cursor.
//
// Each result comes with its event time (as arrival) and W just before it; behind the last one that can be
// read comes a punctuation: how far all results are out. See Pipeline::EmitResults for why it does not
// matter where those fall.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "node/engine/pipeline.h"
#include "node/engine/source_task.h"

namespace rivulet {

// One thread.
class ResultReader {
 public:
  // The results of `upstream` that `reader` has not read yet and can: at most `entries`, about `bytes` of
  // them. Empty when there is nothing new, not even W. `*next` is the position behind them. The messages are
  // valid until the next call. Errors: those of the store.
  Status Read(const Pipeline& upstream, const Pipeline& reader, size_t entries, size_t bytes,
              std::vector<InputMessage>* messages, uint64_t* next);

 private:
  std::string buffer_;           // the results, kPayloadPadding behind them
  std::vector<uint64_t> ends_;   // by message
};

}  // namespace rivulet
