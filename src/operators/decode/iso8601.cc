// Event times as ISO 8601 text, in microseconds. What is read and written: operators/expr/iso_text.h.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/types.h"
#include "operators/decode/decoder.h"
#include "operators/expr/iso_text.h"

namespace rivulet {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86400 * kSecond;

}  // namespace

bool ParseIso8601(std::string_view text, int64_t* us) {
  const std::optional<expr::IsoTime> time = expr::ReadIso(text);
  return time && !__builtin_mul_overflow(time->days, kDay, us) &&
         !__builtin_add_overflow(*us, time->us, us);
}

std::string FormatIso8601(int64_t us) {
  const int64_t time = FloorMod(us, kDay);
  // Not (us - time) / kDay, which overflows at the very beginning of int64.
  const int64_t days = us / kDay - (us % kDay < 0 ? 1 : 0);
  const int64_t fraction = time % kSecond;
  std::string out;
  expr::AppendIsoSeconds(days, time / kSecond, &out);
  if (fraction != 0) {
    char text[16];
    const bool millis = fraction % 1000 == 0;
    std::snprintf(text, sizeof(text), millis ? ".%03lld" : ".%06lld",
                  static_cast<long long>(millis ? fraction / 1000 : fraction));
    out += text;
  }
  return out + "Z";
}

}  // namespace rivulet
