// LateSink: opens its sink when that is possible: at once, or later (the stick is not in yet, another program
// holds the database, a file of someone else is in the way), and again when what it wrote to was moved
// away. Until then its results wait in the output log, and nobody else is held up.
#pragma once

#include <cstdint>
#include <memory>

#include "node/sinks/sink.h"

namespace rivulet {

// Opens `sink` at `stored`, the cursor last committed. `begin`: number of the first entry the log still has.
// `*cursor`: where it is then. Errors: those of Open and Skip.
Status OpenSinkAt(Sink* sink, const SinkCursor& stored, uint64_t begin, SinkCursor* cursor);

// `end`: the number that the log's next entry gets; no entry from there on can have reached the receiver
// before. Tries to open at once: Stats() say whether that went well.
std::unique_ptr<Sink> NewLateSink(std::unique_ptr<Sink> sink, const SinkCursor& stored, uint64_t begin,
                                  uint64_t end);

}  // namespace rivulet
