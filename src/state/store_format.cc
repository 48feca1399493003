#include "state/store_format.h"

#include "base/coding.h"
#include "state/delta.h"
#include "state/lmdb_pages.h"
#include "state/row_checksum.h"

namespace rivulet {
namespace {

constexpr std::string_view kFormatName = "rivulet-store";

}  // namespace

std::string EncodeStoreFormat(const StoreFormat& format) {
  std::string text;
  PutBytes(&text, kFormatName);
  PutFixed<uint32_t>(&text, format.number);
  PutBytes(&text, format.rest);
  return text;
}

bool DecodeStoreFormat(std::string_view stored, StoreFormat* format) {
  std::string_view row = stored, name, rest = kFirstUserKey;
  if (!GetBytes(&row, &name) || name != kFormatName || !GetFixed(&row, &format->number)) return false;
  if (format->number == kStoreFormat) {
    std::string_view value;
    if (!ReadRow(kReservedStoreKey, stored, &value) || !GetBytes(&row, &rest)) return false;
  }
  format->rest = rest;
  return true;
}

Status CheckStorePages(FileSystem* files, const std::string& path,
                       const std::function<void()>& progress) {
  // Without a format row it is something else, which is not for its pages to say.
  StoreFormat format{0, std::string(kFirstUserKey)};
  PageCheck check;
  check.progress = progress;
  check.row = [&format](std::string_view key, std::string_view stored) {
    if (key == kReservedStoreKey) return DecodeStoreFormat(stored, &format);
    std::string_view value;
    return (!format.rest.empty() && key >= format.rest) || ReadRow(key, stored, &value);
  };
  return CheckLmdbPages(files, path, check);
}

}  // namespace rivulet
