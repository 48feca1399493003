// Hexagonal cells: a centre lies in its own cell, cells are about as large as said and lie around each other,
// and no place is without one.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/random.h"
#include "operators/expr/geo_hex.h"

namespace rivulet::expr {
namespace {

double Edge(int level) { return std::ldexp(1.0, 22 - level); }

}  // namespace

TEST_CASE("hexagons: a cell's centre is in the cell, and a place near its centre") {
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const int level = static_cast<int>(random.Below(kGeoHexLevels + 1));
    const GeoPoint p{random.Unit() * 180 - 90, random.Unit() * 360 - 180};
    const int64_t cell = GeoHex(p, level);
    CHECK(cell < int64_t{1} << 50);
    const std::optional<GeoPoint> centre = GeoHexCentre(cell);
    REQUIRE(centre.has_value());
    REQUIRE(IsOnEarth(*centre));
    CHECK(GeoHex(*centre, level) == cell);
    // Corners are an edge away on the plane; at low levels the Earth is not one.
    if (level >= 6) CHECK(GeoDistance(p, *centre) < 1.2 * Edge(level));
  }
}

TEST_CASE("hexagons: of about the same area wherever they are") {
  constexpr int kLevel = 10;  // edges of 4,096 m
  const double area = 1.5 * std::sqrt(3.0) * Edge(kLevel) * Edge(kLevel);
  for (const GeoPoint& corner : {GeoPoint{0, 0}, GeoPoint{52.5, 13.4}, GeoPoint{-33.9, 151.2},
                                 GeoPoint{69.6, 18.9}, GeoPoint{10, 179.5}}) {
    // A raster of 1 degree by 1 degree: how much of it each whole cell takes.
    constexpr int kSide = 400;
    std::map<int64_t, int> points;
    std::set<int64_t> at_border;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        double lon = corner.lon + (x + 0.5) / kSide;
        if (lon > 180) lon -= 360;
        const int64_t cell = GeoHex({corner.lat + (y + 0.5) / kSide, lon}, kLevel);
        ++points[cell];
        if (x == 0 || y == 0 || x == kSide - 1 || y == kSide - 1) at_border.insert(cell);
      }
    }
    const double degree = 6371008.8 * 3.14159265358979 / 180;
    int whole = 0;
    for (const auto& [cell, count] : points) {
      if (at_border.contains(cell)) continue;
      ++whole;
      const double latitude = GeoHexCentre(cell)->lat * 3.14159265358979 / 180;
      const double metres = count * degree * degree * std::cos(latitude) / (kSide * kSide);
      CHECK(metres > 0.85 * area);
      CHECK(metres < 1.15 * area);
    }
    CHECK(whole > 20);
  }
}

TEST_CASE("hexagons: poles, the 180th meridian and numbers that are none") {
  for (int level = 0; level <= kGeoHexLevels; ++level) {
    for (const double lat : {-90.0, 0.0, 90.0}) {
      CHECK(GeoHexCentre(GeoHex({lat, 12}, level)).has_value());
      CHECK(GeoHex({lat, 180}, level) == GeoHex({lat, -180}, level));
    }
  }
  CHECK_FALSE(GeoHexCentre(-1).has_value());
  CHECK_FALSE(GeoHexCentre(int64_t{21} << 45).has_value());
  CHECK_FALSE(GeoHexCentre((int64_t{1} << 23) - 1).has_value());
  CHECK_FALSE(GeoHexCentre(int64_t{4} << 23).has_value());
  CHECK(GeoHexCentre(0).has_value());
}

}  // namespace rivulet::expr
