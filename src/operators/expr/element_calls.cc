#include "operators/expr/element_calls.h"

#include <utility>

#include "operators/expr/compile.h"
#include "operators/expr/event_time_call.h"

namespace rivulet::expr {
namespace {

class Lifter {
 public:
  Lifter(ElementCalls* calls, Scope* scope, Diagnostic* diagnostic)
      : calls_(calls), scope_(scope), diagnostic_(diagnostic) {}

  bool Lift(NodePtr* node) {
    Node& n = **node;
    if (n.kind == NodeKind::kField || IsOfElement(n)) return LiftField(node);
    if (n.kind == NodeKind::kCall && calls_->IsAggregate(n.name)) {
      if (calls_->OverRecords()) return LiftAggregate(node, "");
      const Node* mention = Mention(n);
      if (mention != nullptr) return LiftAggregate(node, std::string(ElementOf(mention->name)));
    }
    if (n.kind == NodeKind::kCall && (n.name == "prev" || n.name == "changed" || n.name == "since")) {
      if (const Node* mention = Mention(n)) {
        return Fail(ErrorCode::kStepOrder, mention->offset,
                    "'" + n.name + "' looks at all records of a key, '" + mention->name +
                        "' is of the pattern's; expected fields of the record itself");
      }
    }
    for (NodePtr& child : n.children) {
      if (!Lift(&child)) return false;
    }
    return true;
  }

 private:
  bool Fail(ErrorCode code, size_t offset, std::string message) {
    *diagnostic_ = {code, offset, std::move(message)};
    return false;
  }

  // The element that a name begins with; empty: none.
  std::string_view ElementOf(std::string_view name) const {
    const std::string_view element = name.substr(0, name.find('.'));
    return calls_->IsElement(element) ? element : std::string_view();
  }

  // A field of an element, or its event_time().
  bool IsOfElement(const Node& node) const {
    std::string_view of;
    const bool names = node.kind == NodeKind::kField ||
                       (node.kind == NodeKind::kCall && IsEventTime(node.name, &of) && !of.empty());
    return names && !ElementOf(node.name).empty();
  }

  // The first of these in the tree.
  const Node* Mention(const Node& node) const {
    if (IsOfElement(node)) return &node;
    for (const NodePtr& child : node.children) {
      if (const Node* found = Mention(*child)) return found;
    }
    return nullptr;
  }

  bool LiftField(NodePtr* node) {
    const std::string element(ElementOf((*node)->name));
    if (element.empty()) return true;
    const size_t offset = (*node)->offset;
    if (element.size() == (*node)->name.size()) return BareElement(**node);
    auto call = std::make_unique<Node>(NodeKind::kCall, offset);
    call->name = "last";
    call->Add(std::move(*node));
    *node = std::move(call);
    return LiftAggregate(node, element);
  }

  bool BareElement(const Node& node) {
    return Fail(ErrorCode::kUnknownName, node.offset,
                "'" + node.name + "' is an element of the pattern; expected one of its fields such as " +
                    node.name + ".speed, or count(" + node.name + ")");
  }

  // `brake.speed` in the argument becomes `speed`.
  bool Strip(Node* node, const std::string& element) {
    if (element.empty()) return true;
    std::string_view of;
    const bool time = node->kind == NodeKind::kCall && IsEventTime(node->name, &of);
    if (time || node->kind == NodeKind::kField) {
      if (ElementOf(node->name) != element) {
        return Fail(ErrorCode::kUnknownName, node->offset,
                    "'" + node->name + "' within an aggregate over '" + element + "'; expected " +
                        element + ".field: an aggregate is over the records of one element");
      }
      if (node->name.size() == element.size()) return BareElement(*node);
      node->name.erase(0, element.size() + 1);
    }
    for (NodePtr& child : node->children) {
      if (!Strip(child.get(), element)) return false;
    }
    return true;
  }

  bool LiftAggregate(NodePtr* node, const std::string& element) {
    Node& n = **node;
    AggregateCall call;
    call.function = n.name;
    call.function_offset = n.offset;
    const bool counts = !element.empty() && n.name == "count" && n.children.size() == 1 &&
                        n.child(0).kind == NodeKind::kField && n.child(0).name == element;
    if (counts) n.children.clear();
    call.canonical = n.name + "(";
    for (NodePtr& argument : n.children) {
      const size_t offset = argument->offset;
      if (!Strip(argument.get(), element)) return false;
      auto impl = CompileTree(std::move(argument), calls_->Records(), diagnostic_);
      if (impl == nullptr) return false;
      call.argument_offsets.push_back(offset);
      if (!call.arguments.empty()) call.canonical += ", ";
      call.canonical += impl->canonical;
      call.arguments.emplace_back(std::move(impl));
    }
    call.canonical += ")";
    auto field = std::make_unique<Node>(NodeKind::kField, n.offset);
    if (!calls_->TakeElement(element, std::move(call), n.offset, scope_, &field->name, diagnostic_)) {
      return false;
    }
    *node = std::move(field);
    return true;
  }

  ElementCalls* calls_;
  Scope* scope_;
  Diagnostic* diagnostic_;
};

}  // namespace

bool LiftElements(NodePtr* root, Scope* scope, Diagnostic* diagnostic) {
  ElementCalls* const calls = scope->elements();
  if (calls == nullptr) return true;
  // What arguments are made of are fields of records, whatever they are called.
  Scope* const records = calls->Records();
  ElementCalls* const theirs = records->elements();
  records->SetElements(nullptr);
  const bool good = Lifter(calls, scope, diagnostic).Lift(root);
  records->SetElements(theirs);
  return good;
}

}  // namespace rivulet::expr
