// The comparison of what came out with what an uninterrupted run gives.
#pragma once

#include <string>
#include <vector>

#include "sim/reference.h"

namespace rivulet::sim {

// `published`: one sink's publishes as the broker took them. Nothing missing, nothing else, in the
// order of `expected`; after an interruption it may go back and repeat, with the same bytes.
// `edited`: the pipeline's text changed on the way; only then may an id stand for several results
// (a window of another length begins where one of the old ones did). Returns what was wrong, or "".
std::string CompareStream(const std::string& stream, const std::vector<PublishedResult>& published,
                          const std::vector<PublishedResult>& expected, bool edited);

// The same for a file that a sink has written: each line once, in order, and nothing else. Empty: it is.
std::string CompareFile(const std::string& name, const std::string& content,
                        const std::vector<PublishedResult>& expected);

}  // namespace rivulet::sim
