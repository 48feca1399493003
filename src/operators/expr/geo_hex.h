// Cells of about the same size and shape all over the Earth: hexagons, as near as rows of them on a sphere
// come to it.
//
// At level n, 0 to 20, an edge is about 2^22 / 2^n metres. Centres lie in rows of equal latitude, 1.5
// edges apart; a row has as many centres as its circle holds at a distance of sqrt(3) edges, every second
// row moved by half of that. A place belongs to the nearest centre, distances taken on the plane around the
// place; of centres equally near to the one with the smallest number. Where neighbouring rows differ in how
// many centres they have, cells have five or seven sides.
//
// A cell's number is level (from bit 45), row from the south (22 bits), place in the row from the 180th
// meridian to the east (23 bits): at most 50 bits. Unlike H3's, cells of one level are not made up of
// those of the next.
// All is plain arithmetic, the same on every platform.
#pragma once

#include <cstdint>
#include <optional>

#include "operators/expr/geo.h"

namespace rivulet::expr {

inline constexpr int kGeoHexLevels = 20;

// `p` is on Earth, `level` 0 to kGeoHexLevels.
int64_t GeoHex(const GeoPoint& p, int level);
// None when there is no such cell.
std::optional<GeoPoint> GeoHexCentre(int64_t cell);

}  // namespace rivulet::expr
