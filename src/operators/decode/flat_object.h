// FlatObjectReader: the short way through the payloads that telemetry is made of: one JSON object without
// nesting whose keys come in the order seen before, its strings plain ASCII without escapes, at most one
// blank behind ':' and ','. It reads such a text once, from left to right, and checks all of it.
//
// Anything else - nesting, escapes, other white space, a new key, a fault - is left to the general decoder,
// which starts over: what this reader takes, that one takes alike (a test compares them).
#pragma once

#include <string_view>

#include "operators/decode/field_tree.h"
#include "operators/decode/row_writer.h"

namespace rivulet::decode {

// Writes the object's fields through `writer`, on which Begin has been called. `text` has kPayloadPadding
// readable bytes behind it; `root` has no nested fields. False: nothing can be said, take the writes back.
bool ReadFlatObject(std::string_view text, const FieldNode& root, RowWriter* writer);

}  // namespace rivulet::decode
