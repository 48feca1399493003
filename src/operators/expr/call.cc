#include "operators/expr/call.h"

#include "operators/expr/convert.h"

namespace rivulet::expr {
namespace {

// Types and nulls of one row's arguments. False: the result is null, or the row failed.
bool AcceptArguments(const FunctionDef& function, std::span<const Value> values, uint32_t row,
                     RowErrors* errors) {
  bool any_null = false;
  for (size_t i = 0; i < values.size(); ++i) {
    const Type type = values[i].type;
    if (type == Type::kNull) {
      any_null = true;
    } else if ((MaskOf(type) & function.argument(i)) == 0) {
      errors->Add(row, std::string(function.name) + " needs " +
                           DescribeTypes(function.argument(i)) + " as argument " +
                           std::to_string(i + 1) + ", found " + std::string(TypeName(type)));
      return false;
    }
  }
  return !(any_null && function.strict);
}

void UnaryLoop(double (*f)(double), const View& argument, Selection selection, Column* out) {
  ForRows(selection, [&](uint32_t row) {
    if (argument.type(row) == Type::kNull) {
      out->SetNull(row);
    } else {
      out->SetFloat(row, f(argument.cell(row).f));
    }
  });
}

}  // namespace

void EvaluateCall(const FunctionDef& function, const Prepared* prepared,
                  std::span<const View> arguments, Selection selection,
                  EvalContext::Impl* context, Column* out) {
  if (function.unary != nullptr && arguments[0].Only(Type::kFloat)) {
    return UnaryLoop(function.unary, arguments[0], selection, out);
  }
  std::vector<Value>& values = context->values;
  values.resize(arguments.size());
  CallContext& call = context->call;
  const bool prepare = prepared == nullptr && NeedsPreparation(function, arguments.size());
  const auto compute = [&] {
    call.prepared = prepare ? context->prepared.Get(function, values, &call) : prepared;
    return call.failed ? Value::Null() : function.call(values.data(), values.size(), &call);
  };
  ForRows(selection, [&](uint32_t row) {
    for (size_t i = 0; i < arguments.size(); ++i) values[i] = arguments[i].Get(row);
    out->SetNull(row);
    if (!AcceptArguments(function, values, row, &context->errors)) return;
    const Value result = compute();
    if (!call.failed) return out->Set(row, result);
    call.failed = false;
    context->errors.Add(row, std::string(function.name) + ": " + call.error);
  });
}

void EvaluateConcat(std::span<const View> operands, Selection selection,
                    EvalContext::Impl* context, Column* out) {
  CallContext& call = context->call;
  ForRows(selection, [&](uint32_t row) {
    out->SetNull(row);
    call.text.clear();
    for (const View& operand : operands) {
      if (operand.type(row) == Type::kNull) return;
      AppendText(operand.Get(row), &call.text);
    }
    const Value joined = call.Text();
    if (!call.failed) return out->Set(row, joined);
    call.failed = false;
    context->errors.Add(row, "||: " + call.error);
  });
}

}  // namespace rivulet::expr
