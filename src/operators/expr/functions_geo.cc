// Functions on places: latitude and longitude in degrees, always in this order. A place that is not
// on Earth (NaN, latitude beyond 90 degrees, longitude beyond 180) gives null: receivers without a
// fix send such.

#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/geo.h"
#include "operators/expr/geo_hex.h"

namespace rivulet::expr {
namespace {

GeoPoint PointAt(const Value* a) { return {a[0].AsFloat(), a[1].AsFloat()}; }

template <double (*f)(const GeoPoint&, const GeoPoint&)>
Value OfTwo(const Value* a, size_t, CallContext*) {
  const GeoPoint from = PointAt(a), to = PointAt(a + 2);
  return IsOnEarth(from) && IsOnEarth(to) ? Value::Float(f(from, to)) : Value::Null();
}

// (lat, lon, bearing, metres)
template <double GeoPoint::*part>
Value Destination(const Value* a, size_t, CallContext*) {
  const GeoPoint from = PointAt(a);
  if (!IsOnEarth(from)) return Value::Null();
  const GeoPoint to = GeoDestination(from, a[2].AsFloat(), a[3].AsFloat());
  return IsOnEarth(to) ? Value::Float(to.*part) : Value::Null();
}

struct PolygonArgument final : Prepared {
  std::optional<GeoPolygon> polygon;
};

std::unique_ptr<const Prepared> PreparePolygon(Preparation* p) {
  if (!p->known(2)) return nullptr;
  auto argument = std::make_unique<PolygonArgument>();
  std::string error;
  argument->polygon = GeoPolygon::Parse(p->argument(2).s, &error);
  if (argument->polygon) return argument;
  return p->Fail(2, Quote(p->argument(2).s) + " is not a polygon: " + error);
}

Value InPolygon(const Value* a, size_t, CallContext* c) {
  const GeoPoint point = PointAt(a);
  if (!IsOnEarth(point)) return Value::Null();
  return Value::Bool(c->PreparedAs<PolygonArgument>().polygon->Contains(point));
}

bool AcceptRange(int64_t v, int64_t low, int64_t high, std::string_view what, CallContext* c) {
  if (v >= low && v <= high) return true;
  c->Fail(std::string(what) + " is " + std::to_string(v) + ", expected " + std::to_string(low) +
          " to " + std::to_string(high));
  return false;
}

Value Geohash(const Value* a, size_t, CallContext* c) {
  if (!AcceptRange(a[2].i, 1, 12, "the length", c) || !IsOnEarth(PointAt(a))) return Value::Null();
  c->text.clear();
  AppendGeohash(PointAt(a), static_cast<int>(a[2].i), &c->text);
  return Value::String(c->text);
}

template <double GeoPoint::*part>
Value OfGeohash(const Value* a, size_t, CallContext* c) {
  const std::optional<GeoPoint> centre = GeohashCentre(a[0].s);
  if (centre) return Value::Float((*centre).*part);
  return c->Fail(Quote(a[0].s) + " is not a geohash of 1 to 12 characters");
}

Value Cell(const Value* a, size_t, CallContext* c) {
  if (!AcceptRange(a[2].i, 0, 30, "the level", c) || !IsOnEarth(PointAt(a))) return Value::Null();
  return Value::Int(GeoCell(PointAt(a), static_cast<int>(a[2].i)));
}

template <double GeoPoint::*part>
Value OfCell(const Value* a, size_t, CallContext* c) {
  const std::optional<GeoPoint> centre = GeoCellCentre(a[0].i);
  if (centre) return Value::Float((*centre).*part);
  return c->Fail(std::to_string(a[0].i) + " is not the number of a cell");
}

Value Hex(const Value* a, size_t, CallContext* c) {
  if (!AcceptRange(a[2].i, 0, kGeoHexLevels, "the level", c) || !IsOnEarth(PointAt(a))) {
    return Value::Null();
  }
  return Value::Int(GeoHex(PointAt(a), static_cast<int>(a[2].i)));
}

template <double GeoPoint::*part>
Value OfHex(const Value* a, size_t, CallContext* c) {
  const std::optional<GeoPoint> centre = GeoHexCentre(a[0].i);
  if (centre) return Value::Float((*centre).*part);
  return c->Fail(std::to_string(a[0].i) + " is not the number of a hexagon");
}

constexpr TypeMask kNum = kNumberMask, kText = kStringMask;
constexpr double GeoPoint::*kLat = &GeoPoint::lat;
constexpr double GeoPoint::*kLon = &GeoPoint::lon;

constexpr FunctionDef kTable[] = {
    {"geo_distance", 4, 4, {kNum, kNum, kNum, kNum}, kFloatMask, OfTwo<GeoDistance>},
    {"geo_bearing", 4, 4, {kNum, kNum, kNum, kNum}, kFloatMask, OfTwo<GeoBearing>},
    {"geo_destination_lat", 4, 4, {kNum, kNum, kNum, kNum}, kFloatMask, Destination<kLat>},
    {"geo_destination_lon", 4, 4, {kNum, kNum, kNum, kNum}, kFloatMask, Destination<kLon>},
    {"geo_within", 3, 3, {kNum, kNum, kText}, kBoolMask, InPolygon, ResultRule::kFixed, true,
     CallForm::kScalar, nullptr, PreparePolygon, PreparedFrom({2})},
    {"geohash", 3, 3, {kNum, kNum, kIntMask}, kText, Geohash},
    {"geohash_lat", 1, 1, {kText}, kFloatMask, OfGeohash<kLat>},
    {"geohash_lon", 1, 1, {kText}, kFloatMask, OfGeohash<kLon>},
    {"geo_cell", 3, 3, {kNum, kNum, kIntMask}, kIntMask, Cell},
    {"geo_cell_lat", 1, 1, {kIntMask}, kFloatMask, OfCell<kLat>},
    {"geo_cell_lon", 1, 1, {kIntMask}, kFloatMask, OfCell<kLon>},
    {"geo_hex", 3, 3, {kNum, kNum, kIntMask}, kIntMask, Hex},
    {"geo_hex_lat", 1, 1, {kIntMask}, kFloatMask, OfHex<kLat>},
    {"geo_hex_lon", 1, 1, {kIntMask}, kFloatMask, OfHex<kLon>},
};

}  // namespace

std::span<const FunctionDef> GeoFunctions() { return kTable; }

}  // namespace rivulet::expr
