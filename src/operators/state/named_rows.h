// Rows of several things under one prefix: each thing's begin with the prefix and four bytes of a hash of its
// signature, a text that says what must stay the same for its rows to be used. Four bytes: with a key of full
// length behind them, a row's key has the length that a store takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "operators/state/state_view.h"

namespace rivulet {

// The beginning of a thing's rows.
std::string NamedPrefix(const std::string& prefix, std::string_view signature);

// Deletes rows under `prefix` that begin with none of `known`, which NamedPrefix gave. Cost: a seek a thing.
Status DropUnknown(const std::string& prefix, const std::vector<std::string>& known, const StateView& view,
                   StateChanges* changes);

}  // namespace rivulet
