// What the fuzz targets share. A target is one LLVMFuzzerTestOneInput: libFuzzer drives it with
// -DRIVULET_FUZZ=ON, and in every build corpus_main.cc runs it over its corpus as an ordinary test.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/status.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace rivulet::fuzz {

// A property that must hold whatever the input is.
inline void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", property);
  std::abort();
}

// Both texts are shown when they differ.
inline void RequireEqual(std::string_view a, std::string_view b, const char* property) {
  if (a == b) return;
  std::fprintf(stderr, "fuzz: one:   %.*s\nfuzz: other: %.*s\n", static_cast<int>(a.size()),
               a.data(), static_cast<int>(b.size()), b.data());
  Require(false, property);
}

// The status is shown when it is not ok.
inline void RequireOk(const Status& status, const char* property) {
  if (status.ok()) return;
  RequireEqual("ok", status.ToString(), property);
}

// The input, taken from the front. Beyond its end everything is 0 or empty.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  // Eight bytes, least significant first.
  uint64_t Number() {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) n |= uint64_t{Byte()} << shift;
    return n;
  }
  std::string_view Take(size_t n) {
    const std::string_view bytes = rest_.substr(0, n);
    rest_.remove_prefix(bytes.size());
    return bytes;
  }
  // A byte that says how many, and as many bytes.
  std::string_view Chunk() { return Take(Byte()); }
  std::string_view Rest() { return Take(rest_.size()); }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace rivulet::fuzz
