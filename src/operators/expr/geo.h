// Geography on a sphere of 6,371,008.8 m (the mean radius of the Earth, IUGG); degrees of WGS 84.
//
// Distances and bearings use the C library's sin, cos, asin and atan2: the last digits can differ between
// platforms. Point in polygon, geohashes and cells are exact arithmetic and the same everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rivulet::expr {

struct GeoPoint {
  double lat = 0, lon = 0;  // degrees
};

// Latitude -90 to 90, longitude -180 to 180; false for NaN.
bool IsOnEarth(const GeoPoint& p);

// Metres along the great circle, by the haversine formula.
double GeoDistance(const GeoPoint& from, const GeoPoint& to);
// Degrees from north, 0 <= b < 360, in which the great circle leaves `from`.
double GeoBearing(const GeoPoint& from, const GeoPoint& to);
// Where one arrives from `from` after `metres` in the direction `bearing`.
GeoPoint GeoDestination(const GeoPoint& from, double bearing, double metres);

// An area on the map: outer rings and holes, with straight edges in degrees. An area that crosses the 180th
// meridian is written as two.
class GeoPolygon {
 public:
  static constexpr size_t kMaxPoints = 10000;

  // WKT: POLYGON ((lon lat, ...), hole, ...) or MULTIPOLYGON (((...)), ...); or a list "lat lon, lat lon,
  // ...". A ring need not repeat its first point. None with *error filled otherwise.
  static std::optional<GeoPolygon> Parse(std::string_view text, std::string* error);

  // By the even-odd rule: inside of an odd number of rings. Edges to the south and west belong to it.
  bool Contains(const GeoPoint& p) const;

 private:
  using Ring = std::vector<GeoPoint>;
  std::vector<Ring> rings_;
  double south_ = 91, north_ = -91, west_ = 181, east_ = -181;

  friend class PolygonReader;
};

// Niemeyer's geohash, 1 to 12 characters.
void AppendGeohash(const GeoPoint& p, int length, std::string* out);
// The middle of a geohash's cell; none when it is not one.
std::optional<GeoPoint> GeohashCentre(std::string_view hash);

// Square (in degrees) cells: at level n, 0 to 30, the map is cut in 2^n columns of 360 / 2^n degrees and
// 2^n rows of 180 / 2^n degrees. A cell's number is 1 followed by n pairs of bits (row, column) from the
// coarsest, in binary; the cell one level up has the number / 4.
int64_t GeoCell(const GeoPoint& p, int level);
std::optional<GeoPoint> GeoCellCentre(int64_t cell);

}  // namespace rivulet::expr
