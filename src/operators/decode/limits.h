// What one payload may ask of a decoder. Every limit of the decoders is named here: none of them
// lets a hostile payload take memory or stack out of proportion to its size.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rivulet::decode {

// Records (or faults) one payload may hold: elements of an array, lines of CSV. A payload with more
// is refused as a whole (kRecordTooLarge), as an element may be as short as "{}".
inline constexpr uint32_t kMaxRecordsPerPayload = 65536;

// A longer JSON payload is kRecordTooLarge: the index of a text takes about six times its size.
inline constexpr size_t kMaxJsonBytes = size_t{16} << 20;

// Scratch memory grown beyond this by one large payload is given back after it.
inline constexpr size_t kKeptScratchBytes = size_t{1} << 20;

// Text of a record with an exploded array, times the elements that each have it. Results may put it out
// that often.
inline constexpr uint64_t kMaxExpandedBytes = uint64_t{16} << 20;

// Objects and arrays within each other, the outermost included.
inline constexpr int kMaxJsonDepth = 128;

// Cells of one CSV line, and columns of a CSV header.
inline constexpr size_t kMaxCsvCells = 4096;

}  // namespace rivulet::decode
