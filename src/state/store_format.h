// The form of a state store's rows on disk, once for writer and reader. The reserved key holds the format
// row:
//
//   name     bytes     "rivulet-store"
//   format   4 bytes   2; 1 in stores of version 0.1
//   rest     bytes     the first key that may still be without a checksum; empty: none is. Only in format 2
//
// In format 2 each row, this one too, ends with a checksum (row_checksum.h). A store of format 1 gets
// them when it is opened, a part with each transaction, so that it needs little room and goes on where a
// crash has stopped it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "state/file.h"

namespace rivulet {

inline constexpr uint32_t kStoreFormat = 2;
inline constexpr uint32_t kStoreFormatWithoutChecksums = 1;
// The first key behind the reserved one.
inline constexpr std::string_view kFirstUserKey{"\0\0", 2};

struct StoreFormat {
  uint32_t number = kStoreFormat;
  std::string rest;
};

// The row's value, without its checksum.
std::string EncodeStoreFormat(const StoreFormat& format);
// `stored`: the row as it lies in the store. False when it is no such row.
bool DecodeStoreFormat(std::string_view stored, StoreFormat* format);

// Checks all pages and rows of a store's file; `progress` may be null. Errors: kCorrupt, kFormatVersion, kIo.
Status CheckStorePages(FileSystem* files, const std::string& path,
                       const std::function<void()>& progress);

}  // namespace rivulet
