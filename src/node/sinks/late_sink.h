// LateSink: stands in for a sink that could not be opened at start (the stick is not in yet, another
// program holds the database) and opens it when that becomes possible. Until then its results wait in
// the output log.
#pragma once

#include <cstdint>
#include <memory>

#include "node/sinks/sink.h"

namespace rivulet {

// True when waiting may help: not when the receiver is there but is the wrong one.
bool MayOpenLater(const Status& failure);

// `sink` failed to open at `cursor` with `failure`. `end`: the sequence that the log's next entry gets; no
// entry from there on can have reached the receiver before.
std::unique_ptr<Sink> NewLateSink(std::unique_ptr<Sink> sink, const SinkCursor& cursor, uint64_t end,
                                  const Status& failure);

}  // namespace rivulet
