// The step `explode`: a record whose field holds a JSON array becomes one record for each element.
//
// It runs inside of decoding, before event times are found, so that each element can have a time, and
// everything behind it sees plain records. A record made of an element has
//   - the fields of the record it came from, the array itself among them;
//   - the element as field `as`, and what is inside of an element that is an object as `as.name`;
//   - the element's own bytes as `raw`, and its place in the array (RecordBatch::elements): that is what
//     goes to late records and dead letters, so that what these take is in proportion to the payload.
// A null, absent or empty array makes no record. Text that is not a JSON array is kWrongFieldType; an
// element at fault is an error of its own, and the others count. A record whose text fields would be held by
// so many elements that the payload comes to more than kMaxExpandedBytes is kExpandsTooFar.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "operators/decode/decoder.h"

namespace rivulet {

struct ExplodeOptions {
  std::string field;  // that holds the array
  std::string as;     // what an element is called
};

// True when the field `name` is an element or inside of one.
bool IsOfElement(std::string_view name, const ExplodeOptions& options);

// `outer` fills the fields `outer_fields` with columns 0, 1, ... in this order, of a batch of its own;
// `columns` says where each goes. `element_fields` (IsOfElement) come out of the elements. The records of
// a payload together may have as many elements as a payload may have records (decode/limits.h).
std::unique_ptr<Decoder> NewExplodeDecoder(std::unique_ptr<Decoder> outer,
                                           std::vector<DecodedField> outer_fields,
                                           std::vector<uint32_t> columns,
                                           std::vector<DecodedField> element_fields,
                                           ExplodeOptions options);

}  // namespace rivulet
