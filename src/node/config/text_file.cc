#include "node/config/text_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace rivulet {
namespace {

Status NotReadable(const std::string& path, const std::string& why) {
  return Status(ErrorCode::kFileNotReadable, "'" + path + "': " + why);
}

}  // namespace

Status ReadTextFile(const std::string& path, size_t max_bytes, std::string* text) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                              &std::fclose);
  if (file == nullptr) return NotReadable(path, std::strerror(errno));
  text->clear();
  char buffer[16384];
  for (;;) {
    const size_t n = std::fread(buffer, 1, sizeof(buffer), file.get());
    text->append(buffer, n);
    if (text->size() > max_bytes) {
      return NotReadable(path, "has more than " + std::to_string(max_bytes) + " bytes");
    }
    if (n == sizeof(buffer)) continue;
    if (std::ferror(file.get()) != 0) return NotReadable(path, std::strerror(errno));
    return Status::Ok();
  }
}

}  // namespace rivulet
