#include "operators/expr/function_registry.h"

#include <algorithm>
#include <vector>

#include "operators/expr/program.h"

namespace rivulet::expr {
namespace {

// All tables in order of name. Built once; initialisation of a local static is thread-safe.
const std::vector<const FunctionDef*>& SortedFunctions() {
  static const std::vector<const FunctionDef*> kFunctions = [] {
    std::vector<const FunctionDef*> all;
    for (auto table : {MathFunctions(), BitFunctions(), StringFunctions(), ConvertFunctions(),
                       TimeFunctions(), CalendarFunctions(), SignalFunctions(), RegexpFunctions(),
                       JsonFunctions(), UnitFunctions(), EncodingFunctions(), NumberFunctions(),
                       TextFunctions(), GeoFunctions()}) {
      for (const FunctionDef& f : table) all.push_back(&f);
    }
    std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->name < b->name; });
    return all;
  }();
  return kFunctions;
}

}  // namespace

Value CallContext::Text() {
  if (text.size() <= kMaxTextResult) return Value::String(text);
  return Fail("the text would have " + std::to_string(text.size()) + " bytes, at most " +
              std::to_string(kMaxTextResult) + " are allowed");
}

const FunctionDef* FindFunction(std::string_view name) {
  const auto& all = SortedFunctions();
  const auto it = std::lower_bound(all.begin(), all.end(), name,
                                   [](auto* f, std::string_view n) { return f->name < n; });
  return it != all.end() && (*it)->name == name ? *it : nullptr;
}

std::vector<std::string> FunctionNames() {
  std::vector<std::string> names;
  for (const FunctionDef* f : SortedFunctions()) names.emplace_back(f->name);
  return names;
}

std::string DescribeTypes(TypeMask mask) {
  std::string words;
  for (Type t : {Type::kBool, Type::kInt, Type::kFloat, Type::kString}) {
    if ((mask & MaskOf(t)) == 0) continue;
    if (!words.empty()) words += " or ";
    words += TypeName(t);
  }
  return words.empty() ? "null" : words;
}

}  // namespace rivulet::expr
