#include "operators/expr/checker.h"
#include "operators/expr/compile.h"
#include "operators/expr/parser.h"

namespace rivulet::expr {
namespace {

bool CompileParts(ParsedAggregate* parsed, Scope* scope, AggregateCall* call,
                  Diagnostic* diagnostic) {
  call->canonical = call->function + "(";
  for (NodePtr& argument : parsed->arguments) {
    const size_t offset = argument->offset;
    auto impl = CompileTree(std::move(argument), scope, diagnostic);
    if (impl == nullptr) return false;
    call->argument_offsets.push_back(offset);
    if (!call->arguments.empty()) call->canonical += ", ";
    call->canonical += impl->canonical;
    call->arguments.emplace_back(std::move(impl));
  }
  call->canonical += ")";
  if (parsed->filter == nullptr) return true;
  auto impl = CompileTree(std::move(parsed->filter), scope, diagnostic);
  if (impl == nullptr) return false;
  if (!CheckCondition(*impl->root, "the condition after 'where'", diagnostic)) return false;
  call->canonical += " where " + impl->canonical;
  call->filter.emplace_back(std::move(impl));
  return true;
}

}  // namespace

Result<AggregateCall> CompileAggregate(std::string_view text, Scope* scope,
                                       Diagnostic* diagnostic) {
  Diagnostic local;
  if (diagnostic == nullptr) diagnostic = &local;
  ParsedAggregate parsed;
  AggregateCall call;
  if (ParseAggregate(text, &parsed, diagnostic)) {
    call.function = parsed.function;
    call.function_offset = parsed.function_offset;
    if (CompileParts(&parsed, scope, &call, diagnostic)) return call;
  }
  return Status(diagnostic->code, diagnostic->message);
}

}  // namespace rivulet::expr
