#include "operators/expr/geo_hex.h"

#include <algorithm>
#include <cmath>

namespace rivulet::expr {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kRadius = 6371008.8;  // metres
constexpr double kSqrt3 = 1.7320508075688772;
constexpr int kColumnBits = 23, kRowBits = 22;

// Of degrees from -90 to 90, by its Taylor series: the C library's differs from platform to platform.
double Cosine(double degrees) {
  const double x = degrees * (kPi / 180.0);
  double sum = 0;
  for (int i = 20; i > 0; i -= 2) sum = (1.0 - sum) * (x * x) / static_cast<double>(i * (i - 1));
  return std::max(0.0, 1.0 - sum);
}

double Edge(int level) { return static_cast<double>(int64_t{1} << (22 - level)); }

int64_t Rows(int level) {
  return std::max<int64_t>(1, std::llround(kPi * kRadius / (1.5 * Edge(level))));
}

double RowLatitude(int level, int64_t row) {
  return -90.0 + (static_cast<double>(row) + 0.5) * (180.0 / static_cast<double>(Rows(level)));
}

int64_t Columns(int level, int64_t row) {
  const double circle = 2.0 * kPi * kRadius * Cosine(RowLatitude(level, row));
  return std::max<int64_t>(3, std::llround(circle / (kSqrt3 * Edge(level))));
}

double ColumnLongitude(int64_t row, int64_t column, int64_t columns) {
  const double shift = row % 2 == 0 ? 0.25 : 0.75;
  return -180.0 + (static_cast<double>(column) + shift) * (360.0 / static_cast<double>(columns));
}

int64_t Number(int level, int64_t row, int64_t column) {
  return (int64_t{level} << (kColumnBits + kRowBits)) | (row << kColumnBits) | column;
}

}  // namespace

int64_t GeoHex(const GeoPoint& p, int level) {
  const int64_t rows = Rows(level);
  const auto at = static_cast<int64_t>((p.lat + 90.0) / 180.0 * static_cast<double>(rows));
  const double narrow = Cosine(p.lat);
  const double lon = p.lon == 180.0 ? -180.0 : p.lon;  // one meridian
  int64_t best = 0;
  double best_distance = -1;
  for (int64_t row = std::max<int64_t>(0, at - 1); row <= std::min(rows - 1, at + 1); ++row) {
    const int64_t columns = Columns(level, row);
    const double north = p.lat - RowLatitude(level, row);
    const double step = 360.0 / static_cast<double>(columns);
    const auto near = static_cast<int64_t>((lon - ColumnLongitude(row, 0, columns)) / step);
    for (int64_t k = near - 1; k <= near + 1; ++k) {
      const int64_t column = (k % columns + columns) % columns;
      double east = std::fabs(lon - ColumnLongitude(row, column, columns));
      east = std::min(east, 360.0 - east) * narrow;
      const double distance = north * north + east * east;
      const int64_t number = Number(level, row, column);
      if (best_distance >= 0 && (distance > best_distance ||
                                 (distance == best_distance && number > best))) {
        continue;
      }
      best = number;
      best_distance = distance;
    }
  }
  return best;
}

std::optional<GeoPoint> GeoHexCentre(int64_t cell) {
  const int64_t level = cell >> (kColumnBits + kRowBits);
  if (cell < 0 || level > kGeoHexLevels) return std::nullopt;
  const auto n = static_cast<int>(level);
  const int64_t row = (cell >> kColumnBits) & ((int64_t{1} << kRowBits) - 1);
  const int64_t column = cell & ((int64_t{1} << kColumnBits) - 1);
  if (row >= Rows(n) || column >= Columns(n, row)) return std::nullopt;
  return GeoPoint{RowLatitude(n, row), ColumnLongitude(row, column, Columns(n, row))};
}

}  // namespace rivulet::expr
