#include "operators/expr/geo.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "base/portable_math.h"

namespace rivulet::expr {
namespace {

using portable::Asin, portable::Atan2, portable::Cos, portable::Sin;

constexpr double kRadius = 6'371'008.8;
constexpr double kRadian = std::numbers::pi / 180;
constexpr std::string_view kGeohashDigits = "0123456789bcdefghjkmnpqrstuvwxyz";
constexpr int kMaxGeohash = 12;
constexpr int kMaxLevel = 30;

double Square(double v) { return v * v; }

// Which of 2^bits equal parts of [low, low + span] `v` lies in. Scaling by a power of two is exact.
uint64_t Part(double v, double low, double span, int bits) {
  const double part = std::floor(std::ldexp((v - low) / span, bits));
  const uint64_t last = (uint64_t{1} << bits) - 1;
  return part < 0 ? 0 : std::min(static_cast<uint64_t>(part), last);
}
double PartCentre(uint64_t part, double low, double span, int bits) {
  return low + std::ldexp(static_cast<double>(part) + 0.5, -bits) * span;
}

}  // namespace

bool IsOnEarth(const GeoPoint& p) {
  return p.lat >= -90 && p.lat <= 90 && p.lon >= -180 && p.lon <= 180;
}

double GeoDistance(const GeoPoint& from, const GeoPoint& to) {
  const double lat1 = from.lat * kRadian, lat2 = to.lat * kRadian;
  const double h = Square(Sin((lat2 - lat1) / 2)) +
                   Cos(lat1) * Cos(lat2) * Square(Sin((to.lon - from.lon) * kRadian / 2));
  return 2 * kRadius * Asin(std::sqrt(std::min(1.0, h)));
}

double GeoBearing(const GeoPoint& from, const GeoPoint& to) {
  const double lat1 = from.lat * kRadian, lat2 = to.lat * kRadian;
  const double turn = (to.lon - from.lon) * kRadian;
  const double y = Sin(turn) * Cos(lat2);
  const double x = Cos(lat1) * Sin(lat2) - Sin(lat1) * Cos(lat2) * Cos(turn);
  const double bearing = Atan2(y, x) / kRadian;
  if (bearing >= 0) return bearing;
  return bearing + 360 < 360 ? bearing + 360 : 0;
}

GeoPoint GeoDestination(const GeoPoint& from, double bearing, double metres) {
  const double lat = from.lat * kRadian, b = bearing * kRadian, d = metres / kRadius;
  const double sin_lat = std::clamp(Sin(lat) * Cos(d) + Cos(lat) * Sin(d) * Cos(b), -1.0, 1.0);
  const double turn = Atan2(Sin(b) * Sin(d) * Cos(lat), Cos(d) - Sin(lat) * sin_lat);
  double lon = std::fmod(from.lon + turn / kRadian + 540, 360);
  if (lon < 0) lon += 360;
  return {Asin(sin_lat) / kRadian, lon - 180};
}

bool GeoPolygon::Contains(const GeoPoint& p) const {
  if (p.lat < south_ || p.lat > north_ || p.lon < west_ || p.lon > east_) return false;
  bool inside = false;
  for (const Ring& ring : rings_) {
    GeoPoint a = ring.back();
    for (const GeoPoint& b : ring) {
      // An edge counts when it crosses the parallel of p, and does so to the east of it.
      if ((a.lat > p.lat) != (b.lat > p.lat)) {
        // From south to north whichever way it is written, so that neighbours agree on their border.
        const GeoPoint& low = a.lat < b.lat ? a : b;
        const GeoPoint& high = a.lat < b.lat ? b : a;
        inside ^= (high.lon - low.lon) * (p.lat - low.lat) > (p.lon - low.lon) * (high.lat - low.lat);
      }
      a = b;
    }
  }
  return inside;
}

void AppendGeohash(const GeoPoint& p, int length, std::string* out) {
  const int bits = 5 * length, lon_bits = (bits + 1) / 2, lat_bits = bits / 2;
  const uint64_t lon = Part(p.lon, -180, 360, lon_bits), lat = Part(p.lat, -90, 180, lat_bits);
  for (int digit = 0; digit < length; ++digit) {
    size_t value = 0;
    for (int k = 5 * digit; k < 5 * digit + 5; ++k) {
      const uint64_t bit = k % 2 == 0 ? lon >> (lon_bits - 1 - k / 2) : lat >> (lat_bits - 1 - k / 2);
      value = value << 1 | (bit & 1);
    }
    out->push_back(kGeohashDigits[value]);
  }
}

std::optional<GeoPoint> GeohashCentre(std::string_view hash) {
  if (hash.empty() || hash.size() > kMaxGeohash) return std::nullopt;
  uint64_t part[2] = {0, 0};  // longitude, latitude
  int bits[2] = {0, 0};
  int which = 0;
  for (const char c : hash) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    const size_t value = kGeohashDigits.find(lower);
    if (value == std::string_view::npos) return std::nullopt;
    for (int k = 4; k >= 0; --k, which ^= 1) {
      part[which] = part[which] << 1 | (value >> k & 1);
      ++bits[which];
    }
  }
  return GeoPoint{PartCentre(part[1], -90, 180, bits[1]), PartCentre(part[0], -180, 360, bits[0])};
}

int64_t GeoCell(const GeoPoint& p, int level) {
  const uint64_t row = Part(p.lat, -90, 180, level), column = Part(p.lon, -180, 360, level);
  uint64_t cell = 1;
  for (int k = level - 1; k >= 0; --k) cell = cell << 2 | (row >> k & 1) << 1 | (column >> k & 1);
  return static_cast<int64_t>(cell);
}

std::optional<GeoPoint> GeoCellCentre(int64_t cell) {
  if (cell < 1) return std::nullopt;
  const auto bits = static_cast<uint64_t>(cell);
  const int level = (63 - std::countl_zero(bits)) / 2;
  if ((63 - std::countl_zero(bits)) % 2 != 0 || level > kMaxLevel) return std::nullopt;
  uint64_t row = 0, column = 0;
  for (int k = level - 1; k >= 0; --k) {
    row = row << 1 | (bits >> (2 * k + 1) & 1);
    column = column << 1 | (bits >> (2 * k) & 1);
  }
  return GeoPoint{PartCentre(row, -90, 180, level), PartCentre(column, -180, 360, level)};
}

}  // namespace rivulet::expr
