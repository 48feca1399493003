// Places: distances known from elsewhere, polygons against a model, geohashes and cells there and back.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "operators/expr/geo.h"
#include "tests/operators/expr_testing.h"

namespace rivulet::expr {
namespace {

TEST_CASE("geo: distances and bearings") {
  // A degree of a great circle; Berlin to Paris; antipodes.
  CHECK(Eval("round(geo_distance(0, 0, 0, 1), 1)") == "float 111195.1");
  CHECK(Eval("round(geo_distance(52.5200, 13.4050, 48.8566, 2.3522) / 1000)") == "float 877");
  CHECK(Eval("round(geo_distance(0, 0, 0, 180), 0)") == "float 20015114");
  CHECK(Eval("round(geo_distance(0, 179.5, 0, -179.5), 1)") == "float 111195.1");
  CHECK(Eval("geo_distance(1, 2, 1, 2)") == "float 0");
  CHECK(Eval("geo_bearing(0, 0, 1, 0)") == "float 0");
  CHECK(Eval("geo_bearing(0, 0, 0, 1)") == "float 90");
  CHECK(Eval("geo_bearing(0, 0, 0, -1)") == "float 270");
  CHECK(Eval("geo_bearing(1, 0, 0, 0)") == "float 180");
  CHECK(Eval("round(geo_bearing(52.52, 13.405, 48.8566, 2.3522), 1)") == "float 246.7");
  CHECK(Eval("round(geo_destination_lat(0, 0, 0, 111195.08), 5)") == "float 1");
  CHECK(Eval("round(geo_destination_lon(0, 179.5, 90, 111195.08), 5)") == "float -179.5");
  for (const char* text : {"geo_distance(91, 0, 0, 0)", "geo_distance(0, 180.1, 0, 0)",
                           "geo_bearing(sqrt(-1), 0, 0, 0)", "geo_distance(null, 0, 0, 0)",
                           "geo_destination_lat(0, 0, 0, ln(0))", "geo_destination_lon(0, 0, ln(0), 1)"}) {
    INFO(text);
    CHECK(Eval(text) == "null");
  }
  CHECK(Eval("geo_distance('1', 0, 0, 0)").starts_with("E2005 at 13"));
}

TEST_CASE("geo: polygons") {
  const std::string holed =
      "'POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (4 4, 6 4, 6 6, 4 6, 4 4))'";
  CHECK(Eval("geo_within(2, 2, " + holed + ")") == "bool true");
  CHECK(Eval("geo_within(5, 5, " + holed + ")") == "bool false");
  CHECK(Eval("geo_within(5, 11, " + holed + ")") == "bool false");
  CHECK(Eval("geo_within(0, 0, " + holed + ")") == "bool true");
  CHECK(Eval("geo_within(10, 10, " + holed + ")") == "bool false");
  CHECK(Eval("geo_within(91, 2, " + holed + ")") == "null");
  CHECK(Eval("geo_within(1, 21, 'multipolygon(((0 0,2 0,2 2,0 2)),((20 0,22 0,22 2,20 2)))')") ==
        "bool true");
  CHECK(Eval("geo_within(1, 21, '0 20, 0 22, 2 22, 2 20')") == "bool true");
  const std::vector<Field> fields = {{"x", MaskOf(Type::kFloat), 0}};
  std::string message;
  CHECK(CompileError("geo_within(x, x, 'POLYGON ((0 0, 1 1))')", fields, &message) == "E2012 at 17");
  CHECK(message.find("a ring has fewer than three points") != std::string::npos);
  for (const char* bad : {"", "POLYGON", "POLYGON (", "POLYGON ((0 0, 1 1, 2", "POLYGON ((0 0, 1 1, 2 2)",
                          "POLYGON ((0 0, 1 1, 2 2)) x", "POLYGON ((0 0, 1 1, 2 100))", "1 2, 3 4",
                          "POLYGON EMPTY", "nan nan, nan nan, nan nan", "MULTIPOLYGON ((0 0, 1 1, 2 2))"}) {
    INFO(bad);
    std::string error;
    CHECK_FALSE(GeoPolygon::Parse(bad, &error).has_value());
    CHECK_FALSE(error.empty());
  }
  std::string many = "0 0", error;
  for (int k = 0; k < 10000; ++k) many += ", 1 1";
  CHECK_FALSE(GeoPolygon::Parse(many, &error).has_value());
}

TEST_CASE("geo: tiles of a plane each hold a point once") {
  // Triangles that share edges: every point, those on edges too, is in exactly one.
  std::mt19937 random(11);
  std::string error;
  const auto a = GeoPolygon::Parse("0 0, 0 8, 8 8", &error);
  const auto b = GeoPolygon::Parse("0 0, 8 8, 8 0", &error);
  const auto c = GeoPolygon::Parse("0 8, 0 16, 8 16, 8 8", &error);
  for (int round = 0; round < 20000; ++round) {
    const GeoPoint p{static_cast<double>(random() % 32) / 4, static_cast<double>(random() % 64) / 4};
    CHECK(a->Contains(p) + b->Contains(p) + c->Contains(p) == 1);
  }
}

TEST_CASE("geo: geohashes and cells") {
  CHECK(Eval("geohash(57.64911, 10.40744, 11)") == "string u4pruydqqvj");
  CHECK(Eval("geohash(42.605, -5.603, 5)") == "string ezs42");
  CHECK(Eval("round(geohash_lat('ezs42'), 3)") == "float 42.605");
  CHECK(Eval("round(geohash_lon('EZS42'), 3)") == "float -5.603");
  CHECK(Eval("geohash(90, 180, 3)") == "string zzz");
  CHECK(Eval("geohash(-90, -180, 3)") == "string 000");
  CHECK(Eval("geohash(0, 0, 13)") == "error: geohash: the length is 13, expected 1 to 12");
  CHECK(Eval("geohash(0, sqrt(-1), 3)") == "null");
  CHECK(Eval("geohash_lat('a')") == "error: geohash_lat: 'a' is not a geohash of 1 to 12 characters");
  CHECK(Eval("geohash_lat('')").starts_with("error"));
  CHECK(Eval("geo_cell(0, 0, 0)") == "int 1");
  CHECK(Eval("geo_cell(1, 1, 1)") == "int 7");
  CHECK(Eval("geo_cell(-1, 1, 1)") == "int 5");
  CHECK(Eval("geo_cell(90, 180, 30)") == "int 2305843009213693951");
  CHECK(Eval("geo_cell(0, 0, 31)") == "error: geo_cell: the level is 31, expected 0 to 30");
  CHECK(Eval("geo_cell_lat(7)") == "float 45");
  CHECK(Eval("geo_cell_lon(5)") == "float 90");
  CHECK(Eval("geo_hex(0, 0, 21)") == "error: geo_hex: the level is 21, expected 0 to 20");
  CHECK(Eval("geo_hex(91, 0, 2)") == "null");
  CHECK(Eval("geo_hex_lat(-4)") == "error: geo_hex_lat: -4 is not the number of a hexagon");
  CHECK(Eval("geo_cell_lat(2)") == "error: geo_cell_lat: 2 is not the number of a cell");
  CHECK(Eval("geo_cell_lat(-1)").starts_with("error"));
  CHECK(Eval("geo_cell_lat(9223372036854775807)").starts_with("error"));
  std::mt19937 random(2);
  for (int round = 0; round < 5000; ++round) {
    const GeoPoint p{static_cast<double>(random() % 180000) / 1000 - 90,
                     static_cast<double>(random() % 360000) / 1000 - 180};
    const int level = static_cast<int>(random() % 31);
    const int64_t cell = GeoCell(p, level);
    CHECK(GeoCell(*GeoCellCentre(cell), level) == cell);
    if (level > 0) CHECK(GeoCell(p, level - 1) == cell / 4);
    std::string hash, again;
    const int length = 1 + static_cast<int>(random() % 12);
    AppendGeohash(p, length, &hash);
    AppendGeohash(*GeohashCentre(hash), length, &again);
    CHECK(hash == again);
  }
}

}  // namespace
}  // namespace rivulet::expr
