#include "operators/expr/preparation.h"

#include <cstring>

#include "operators/expr/ast.h"
#include "operators/expr/function_registry.h"
#include "operators/expr/program.h"

namespace rivulet::expr {
namespace {

// Prepared forms kept by each thread. Few: each pattern may hold a megabyte.
constexpr size_t kCacheEntries = 8;
// Arguments longer than this are prepared anew for each record rather than kept.
constexpr size_t kMaxKeyBytes = 64 * 1024;

bool IsPreparedFrom(const FunctionDef& function, size_t i) {
  return i < 32 && ((function.prepared_from >> i) & 1) != 0;
}

bool PrepareCall(Node* node, Diagnostic* diagnostic) {
  const FunctionDef& function = *node->function;
  const size_t count = node->children.size();
  std::vector<Value> values(count);
  std::vector<const Value*> known(count, nullptr);
  for (size_t i = 0; i < count; ++i) {
    if (!IsPreparedFrom(function, i) || node->child(i).kind != NodeKind::kLiteral) continue;
    values[i] = node->child(i).constant_value();
    // With a null the call is null; a wrong type is each record's fault, as folding may have chosen it.
    if ((MaskOf(values[i].type) & function.argument(i)) == 0 || values[i].is_null()) return true;
    known[i] = &values[i];
  }
  Preparation preparation(known);
  node->prepared = function.prepare(&preparation);
  if (!preparation.failed()) return true;
  *diagnostic = {ErrorCode::kBadArgument, node->child(preparation.fault()).offset,
                 std::string(function.name) + ": " + preparation.error()};
  return false;
}

}  // namespace

bool NeedsPreparation(const FunctionDef& function, size_t count) {
  if (function.prepare == nullptr) return false;
  return count >= 32 || (function.prepared_from & ((uint32_t{1} << count) - 1)) != 0;
}

bool PrepareCalls(Node* root, Diagnostic* diagnostic) {
  for (NodePtr& child : root->children) {
    if (!PrepareCalls(child.get(), diagnostic)) return false;
  }
  if (root->kind != NodeKind::kCall) return true;
  return !NeedsPreparation(*root->function, root->children.size()) || PrepareCall(root, diagnostic);
}

void PreparedCache::MakeKey(const FunctionDef& function, std::span<const Value> arguments) {
  key_.clear();
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Value& v = arguments[i];
    if (!IsPreparedFrom(function, i)) continue;
    const uint64_t bits = v.type == Type::kString ? v.s.size() : static_cast<uint64_t>(v.i);
    key_.push_back(static_cast<char>(v.type));
    key_.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
    if (v.type == Type::kString) key_.append(v.s);
  }
}

const Prepared* PreparedCache::Get(const FunctionDef& function, std::span<const Value> arguments,
                                   CallContext* context) {
  MakeKey(function, arguments);
  for (const Entry& entry : entries_) {
    if (entry.function == &function && entry.key == key_) return entry.prepared.get();
  }
  std::vector<const Value*> known(arguments.size(), nullptr);
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (IsPreparedFrom(function, i)) known[i] = &arguments[i];
  }
  Preparation preparation(known);
  std::unique_ptr<const Prepared> made = function.prepare(&preparation);
  if (preparation.failed()) {
    context->Fail(std::move(preparation.error()));
    return nullptr;
  }
  if (entries_.size() < kCacheEntries) {
    next_ = entries_.size();
    entries_.emplace_back();
  }
  Entry& entry = entries_[next_];
  next_ = (next_ + 1) % kCacheEntries;
  const bool keep = key_.size() <= kMaxKeyBytes;
  entry.function = keep ? &function : nullptr;
  entry.key.assign(keep ? key_ : "");
  entry.prepared = std::move(made);
  return entry.prepared.get();
}

}  // namespace rivulet::expr
