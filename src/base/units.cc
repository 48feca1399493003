#include "base/units.h"

#include <array>
#include <cstddef>
#include <limits>

#include "base/wide_int.h"

namespace rivulet {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

// A unit that another one starts with ("m" of "ms") stands behind it, so that the first match is
// the right one.
constexpr std::array<Unit, 6> kDurationUnits = {{{"us", 1},
                                                 {"ms", 1'000},
                                                 {"s", 1'000'000},
                                                 {"m", 60'000'000},
                                                 {"h", 3'600'000'000},
                                                 {"d", 86'400'000'000}}};

constexpr std::array<Unit, 8> kSizeUnits = {{{"", 1},
                                             {"B", 1},
                                             {"KB", 1 << 10},
                                             {"KiB", 1 << 10},
                                             {"MB", 1 << 20},
                                             {"MiB", 1 << 20},
                                             {"GB", 1 << 30},
                                             {"GiB", 1 << 30}}};

constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Messages quote what was found; a text of hostile length is cut.
std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 40;
  std::string out = "'";
  out.append(text.substr(0, kShown));
  if (text.size() > kShown) out += "...";
  return out + "'";
}

Status BadDuration(std::string_view text, std::string_view what) {
  return Status(ErrorCode::kBadDuration,
                Quoted(text) + " " + std::string(what) +
                    "; expected a number with us, ms, s, m, h or d, such as 250ms or 1h30m");
}

// A decimal number without exponent: `digits` over 10^`scale`.
struct Decimal {
  int64_t digits = 0;
  int64_t scale = 1;  // a power of ten
};

// Takes a number from the front of `text`. Null when fine, else what is wrong with it.
const char* TakeDecimal(std::string_view* text, Decimal* out) {
  size_t n = 0;
  size_t count = 0;
  bool fraction = false;
  for (; n < text->size(); ++n) {
    const char c = (*text)[n];
    if (c == '.' && !fraction && count > 0) {
      fraction = true;
      count = 0;
      continue;
    }
    if (!IsDigit(c)) break;
    ++count;
    if (__builtin_mul_overflow(out->digits, 10, &out->digits) ||
        __builtin_add_overflow(out->digits, c - '0', &out->digits)) {
      return "is too large";
    }
    if (fraction) out->scale *= 10;  // cannot overflow before 19 digits, where `digits` does
    if (out->scale > kMaxInt64 / 10) return "has too many decimals";
  }
  if (count == 0) return "is not a duration";
  text->remove_prefix(n);
  return nullptr;
}

const Unit* TakeDurationUnit(std::string_view* text) {
  for (const Unit& unit : kDurationUnits) {
    if (!text->starts_with(unit.name)) continue;
    text->remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

// Appends `value` / `per` and `unit`, with the decimals it needs: (1500, 1000, "ms") is "1.5ms".
void AppendDecimal(std::string* out, uint64_t value, uint64_t per, std::string_view unit) {
  *out += std::to_string(value / per);
  std::string decimals;
  for (uint64_t rest = value % per; rest != 0; rest %= per) {
    per /= 10;
    decimals += static_cast<char>('0' + rest / per);
  }
  if (!decimals.empty()) *out += "." + decimals;
  *out += unit;
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  if (text == "0") return Duration{0};
  std::string_view rest = text;
  int64_t total = 0;
  do {
    Decimal number;
    if (const char* wrong = TakeDecimal(&rest, &number)) return BadDuration(text, wrong);
    const Unit* unit = TakeDurationUnit(&rest);
    if (unit == nullptr) {
      return BadDuration(text, rest.empty() ? "has no unit" : "has an unknown unit");
    }
    const Int128 scaled = static_cast<Int128>(number.digits) * unit->factor;
    if (scaled % number.scale != 0) return BadDuration(text, "is not a whole number of us");
    if (scaled / number.scale > kMaxInt64 - total) return BadDuration(text, "is too large");
    total += static_cast<int64_t>(scaled / number.scale);
  } while (!rest.empty());
  return Duration{total};
}

std::string FormatDuration(Duration d) {
  if (d.us == 0) return "0s";
  std::string out;
  auto us = static_cast<uint64_t>(d.us);
  if (d.us < 0) {
    out = "-";
    us = 0 - us;
  }
  for (size_t k = kDurationUnits.size() - 1; k >= 3; --k) {
    const auto factor = static_cast<uint64_t>(kDurationUnits[k].factor);
    if (us >= factor) AppendDecimal(&out, us / factor, 1, kDurationUnits[k].name);
    us %= factor;
  }
  if (us >= 1'000'000) {
    AppendDecimal(&out, us, 1'000'000, "s");
  } else if (us >= 1'000) {
    AppendDecimal(&out, us, 1'000, "ms");
  } else if (us > 0) {
    AppendDecimal(&out, us, 1, "us");
  }
  return out;
}

Result<uint64_t> ParseSize(std::string_view text) {
  const auto bad = [&](std::string_view what) {
    return Status(ErrorCode::kBadSize,
                  Quoted(text) + " " + std::string(what) +
                      "; expected a whole number with B, KB, MB or GB, such as 64MB");
  };
  uint64_t number = 0;
  size_t n = 0;
  for (; n < text.size() && IsDigit(text[n]); ++n) {
    if (__builtin_mul_overflow(number, 10, &number) ||
        __builtin_add_overflow(number, static_cast<uint64_t>(text[n] - '0'), &number)) {
      return bad("is too large");
    }
  }
  if (n == 0) return bad("is not a size");
  for (const Unit& unit : kSizeUnits) {
    if (text.substr(n) != unit.name) continue;
    if (__builtin_mul_overflow(number, static_cast<uint64_t>(unit.factor), &number)) {
      return bad("is too large");
    }
    return number;
  }
  return bad(text[n] == '.' ? "is not a whole number" : "has an unknown unit");
}

std::string FormatSize(uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames = {" B", " KB", " MB", " GB", " TB"};
  size_t k = 0;
  Int128 unit = 1;
  Int128 tenths = static_cast<Int128>(bytes) * 10;
  while (tenths >= 10240 && k + 1 < kNames.size()) {
    unit *= 1024;
    ++k;
    tenths = (static_cast<Int128>(bytes) * 10 + unit / 2) / unit;
  }
  std::string out;
  AppendDecimal(&out, static_cast<uint64_t>(tenths), 10, kNames[k]);
  return out;
}

}  // namespace rivulet
