#include "operators/expr/units.h"

#include <numbers>

namespace rivulet::expr {
namespace {

// Numbers are exact by definition (BIPM's SI brochure; the international yard and pound; NIST SP 811), but
// for pi, mmHg, inHg and BTU, which have the digits NIST SP 811 gives.
constexpr double kPound = 0.45359237, kGravity = 9.80665, kFoot = 0.3048, kMile = 1609.344;
constexpr double kGallon = 3.785411784, kImperialGallon = 4.54609;

constexpr MeasureUnit kUnits[] = {
    {"m", "length", 1}, {"km", "length", 1000}, {"dm", "length", 1, 10}, {"cm", "length", 1, 100},
    {"mm", "length", 1, 1000}, {"um", "length", 1, 1e6}, {"nm", "length", 1, 1e9},
    {"in", "length", 254, 1e4}, {"ft", "length", kFoot}, {"yd", "length", 0.9144},
    {"mi", "length", kMile}, {"nmi", "length", 1852},

    {"m/s", "speed", 1}, {"km/h", "speed", 1000, 3600}, {"mph", "speed", kMile, 3600},
    {"kn", "speed", 1852, 3600}, {"ft/s", "speed", kFoot}, {"cm/s", "speed", 1, 100},

    {"m/s2", "acceleration", 1}, {"g0", "acceleration", kGravity},
    {"ft/s2", "acceleration", kFoot},

    {"m2", "area", 1}, {"km2", "area", 1e6}, {"cm2", "area", 1, 1e4}, {"mm2", "area", 1, 1e6},
    {"ha", "area", 1e4}, {"ft2", "area", kFoot * kFoot}, {"acre", "area", 4046.8564224},

    {"l", "volume", 1}, {"ml", "volume", 1, 1000}, {"m3", "volume", 1000}, {"cm3", "volume", 1, 1000},
    {"gal", "volume", kGallon}, {"imp_gal", "volume", kImperialGallon},
    {"ft3", "volume", 28.316846592}, {"bbl", "volume", 158.987294928},

    {"l/s", "flow", 1}, {"l/min", "flow", 1, 60}, {"l/h", "flow", 1, 3600},
    {"m3/s", "flow", 1000}, {"m3/h", "flow", 1000, 3600}, {"gal/min", "flow", kGallon, 60},

    {"kg", "mass", 1}, {"g", "mass", 1, 1000}, {"mg", "mass", 1, 1e6}, {"t", "mass", 1000},
    {"lb", "mass", kPound}, {"oz", "mass", kPound, 16},

    {"C", "temperature", 1}, {"K", "temperature", 1, 1, -273.15},
    {"F", "temperature", 5, 9, -32}, {"R", "temperature", 5, 9, -491.67},

    {"Pa", "pressure", 1}, {"hPa", "pressure", 100}, {"kPa", "pressure", 1000},
    {"MPa", "pressure", 1e6}, {"bar", "pressure", 1e5}, {"mbar", "pressure", 100},
    {"atm", "pressure", 101325}, {"psi", "pressure", kPound * kGravity, 0.0254 * 0.0254},
    {"mmHg", "pressure", 133.322387415}, {"inHg", "pressure", 3386.388640341},

    {"N", "force", 1}, {"kN", "force", 1000}, {"lbf", "force", kPound * kGravity},
    {"kgf", "force", kGravity},

    {"Nm", "torque", 1}, {"lbf_ft", "torque", kPound * kGravity * kFoot},

    {"J", "energy", 1}, {"kJ", "energy", 1000}, {"MJ", "energy", 1e6}, {"Wh", "energy", 3600},
    {"kWh", "energy", 3.6e6}, {"MWh", "energy", 3.6e9}, {"cal", "energy", 4.184},
    {"kcal", "energy", 4184}, {"BTU", "energy", 1055.05585262},

    {"W", "power", 1}, {"kW", "power", 1000}, {"MW", "power", 1e6}, {"mW", "power", 1, 1000},
    {"hp", "power", 550 * kFoot * kPound * kGravity}, {"PS", "power", 75 * kGravity},

    {"A", "current", 1}, {"mA", "current", 1, 1000}, {"uA", "current", 1, 1e6},
    {"V", "voltage", 1}, {"mV", "voltage", 1, 1000}, {"kV", "voltage", 1000},
    {"Ah", "charge", 3600}, {"mAh", "charge", 3.6}, {"Coulomb", "charge", 1},
    {"Ohm", "resistance", 1}, {"kOhm", "resistance", 1000}, {"MOhm", "resistance", 1e6},

    {"s", "time", 1}, {"ms", "time", 1, 1000}, {"us", "time", 1, 1e6}, {"ns", "time", 1, 1e9},
    {"min", "time", 60}, {"h", "time", 3600}, {"d", "time", 86400}, {"week", "time", 604800},

    {"Hz", "frequency", 1}, {"kHz", "frequency", 1000}, {"MHz", "frequency", 1e6},
    {"GHz", "frequency", 1e9}, {"rpm", "frequency", 1, 60},

    {"rad", "angle", 1}, {"deg", "angle", std::numbers::pi, 180},
    {"turn", "angle", 2 * std::numbers::pi}, {"gon", "angle", std::numbers::pi, 200},

    {"B", "data", 1}, {"bit", "data", 1, 8}, {"kB", "data", 1000}, {"MB", "data", 1e6},
    {"GB", "data", 1e9}, {"KiB", "data", 1024}, {"MiB", "data", 1048576},
    {"GiB", "data", 1073741824},
};

}  // namespace

const MeasureUnit* FindMeasureUnit(std::string_view name) {
  for (const MeasureUnit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::vector<std::string> MeasureUnitNames(std::string_view dimension) {
  std::vector<std::string> names;
  for (const MeasureUnit& unit : kUnits) {
    if (dimension.empty() || unit.dimension == dimension) names.emplace_back(unit.name);
  }
  return names;
}

}  // namespace rivulet::expr
