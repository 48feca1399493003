// Keys as bytes. A key is one or more field values; its encoding is what is hashed for routing,
// stored with state, and compared: memcmp order of encodings is the order results are emitted in.
//
//   per field: tag, then   null 01 | false 02 | true 03 | int 10 + 8 bytes big endian, sign flipped
//                          float 11 + 8 bytes, ordered | string 20 + bytes, 00 as 00 FF, then 00
//
// So null < bools < ints < floats < strings. A float that is a whole number within +-2^53 is encoded as that
// int: 1 and 1.0 are one key, as in SQL. Values that need not sort: base/value_codec.h. A stored format.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/record_batch.h"

namespace rivulet {

// Longest encoded key: leaves room for prefixes within a store key.
inline constexpr size_t kMaxKeyBytes = 480;

// Encoded keys and their hashes for the rows of one batch, by row. Reused from turn to turn.
struct KeyColumn {
  std::vector<StringRef> refs;   // shape: [rows of the batch]; only selected rows are set
  std::vector<uint64_t> hashes;  // Hash64 of the encoding
  std::vector<char> arena;

  std::string_view Key(uint32_t row) const {
    return {arena.data() + refs[row].offset, refs[row].length};
  }
};

// Encodes the fields in `columns` as the key of each selected row. Rows whose key has a null part
// (kMissingField) or one that NamesNothing, or is too long (kRecordTooLarge), are reported and left out of
// `*kept`. `names` are the fields' names, for messages.
void EncodeKeys(const RecordBatch& batch, Selection selection, const std::vector<uint32_t>& columns,
                const std::vector<std::string>& names, KeyColumn* out, std::vector<uint32_t>* kept,
                std::vector<RowError>* errors);

// Whole numbers beyond 64 bits are floats, and 2^64 + 1 is then the same float as 2^64 + 2. As a quantity
// that is rounding; as a name it would make one thing of two. So such a number names nothing: a record with
// one in its key, or wherever else equal values are taken for one thing, is at fault (kInexactIdentity).
inline bool NamesNothing(const Column& column, uint32_t row) {
  if (column.type(row) != Type::kFloat) return false;
  const double size = std::abs(column.Float(row));
  return size >= 0x1p63 && !std::isinf(size);
}
// `what` begins the message: "key field 'id'".
RowError InexactIdentity(uint32_t row, const std::string& what, double v);
// Takes rows at fault in this out of the ascending `rows`. One look, where the column has no floats.
void CheckIdentity(const Column& column, const std::string& what, std::vector<uint32_t>* rows,
                   std::vector<RowError>* errors);

// Appends the encoding of one value.
void AppendKeyValue(std::string* out, const Value& value);

// Takes the next value off an encoded key. Strings without NUL bytes are views into the key, others
// are put into `*scratch`. False when the bytes are no key.
bool NextKeyValue(std::string_view* key, Value* value, std::string* scratch);

}  // namespace rivulet
