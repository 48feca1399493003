// Units of measurement and the factors between them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rivulet::expr {

// In the dimension's base unit a value is (value + shift) * times / over. Both factors are kept, as few
// quotients are floats without error.
struct MeasureUnit {
  std::string_view name;
  std::string_view dimension;
  double times;
  double over = 1;
  double shift = 0;
};

// Null when there is none of that name; names are as they are written in the table, case included.
const MeasureUnit* FindMeasureUnit(std::string_view name);

// All names, or those of one dimension; in the table's order.
std::vector<std::string> MeasureUnitNames(std::string_view dimension = "");

}  // namespace rivulet::expr
