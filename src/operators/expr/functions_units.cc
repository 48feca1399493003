// convert(x, from, to): between units of one dimension.

#include "base/suggest.h"
#include "operators/expr/convert.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/units.h"

namespace rivulet::expr {
namespace {

struct Conversion final : Prepared {
  MeasureUnit from, to;
};

const MeasureUnit* ReadUnit(Preparation* p, size_t i) {
  if (!p->known(i)) return nullptr;
  const std::string_view name = p->argument(i).s;
  const MeasureUnit* unit = FindMeasureUnit(name);
  if (unit == nullptr) {
    p->Fail(i, Quote(name) + " is not a known unit" + DidYouMean(name, MeasureUnitNames()));
  }
  return unit;
}

std::unique_ptr<const Prepared> PrepareConversion(Preparation* p) {
  const MeasureUnit* const from = ReadUnit(p, 1);
  if (p->failed()) return nullptr;
  const MeasureUnit* const to = ReadUnit(p, 2);
  if (from == nullptr || to == nullptr) return nullptr;
  if (from->dimension != to->dimension) {
    std::string expected;
    for (const std::string& name : MeasureUnitNames(from->dimension)) expected += " " + name;
    return p->Fail(2, Quote(to->name) + " is a unit of " + std::string(to->dimension) + ", " +
                          Quote(from->name) + " one of " + std::string(from->dimension) +
                          "; expected one of" + expected);
  }
  auto conversion = std::make_unique<Conversion>();
  conversion->from = *from;
  conversion->to = *to;
  return conversion;
}

Value Convert(const Value* a, size_t, CallContext* c) {
  const auto& [from, to] = c->PreparedAs<Conversion>();
  const double x = a[0].AsFloat();
  if (from.name == to.name) return Value::Float(x);
  return Value::Float((x + from.shift) * (from.times * to.over) / (from.over * to.times) - to.shift);
}

constexpr FunctionDef kTable[] = {
    {"convert", 3, 3, {kNumberMask, kStringMask, kStringMask}, kFloatMask, Convert,
     ResultRule::kFixed, true, CallForm::kScalar, nullptr, PrepareConversion, PreparedFrom({1, 2})},
};

}  // namespace

std::span<const FunctionDef> UnitFunctions() { return kTable; }

}  // namespace rivulet::expr
