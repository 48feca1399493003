#include "operators/decode/field_tree.h"

#include <algorithm>

namespace rivulet::decode {
namespace {

FieldNode* FindOrAdd(FieldNode* parent, std::string_view key) {
  auto& children = parent->children;
  const auto at = std::lower_bound(
      children.begin(), children.end(), key,
      [](const std::unique_ptr<FieldNode>& child, std::string_view k) { return child->key < k; });
  if (at != children.end() && (*at)->key == key) return at->get();
  auto node = std::make_unique<FieldNode>();
  node->key = key;
  return children.insert(at, std::move(node))->get();
}

void AddPath(FieldNode* root, std::string_view name, uint32_t field) {
  FieldNode* node = root;
  for (size_t dot = name.find('.'); dot != name.npos; dot = name.find('.')) {
    node = FindOrAdd(node, name.substr(0, dot));
    node->below.push_back(field);
    name.remove_prefix(dot + 1);
  }
  node = FindOrAdd(node, name);
  node->field = static_cast<int32_t>(field);
  node->path = true;
}

}  // namespace

const KeyOrder::Key* KeyOrder::Learn(std::string_view raw, FieldNode* node, const Key* place) {
  const auto index = static_cast<size_t>(place - keys_.data());
  Key key;
  key.apart = raw.data()[raw.size() + 1] != ':';
  const std::string_view whole(raw.data() - 1, raw.size() + 2 + (key.apart ? 0 : 1));
  if (index >= kMaxKeys || whole.size() > kMaxLength) return place;
  const size_t head = std::min(whole.size(), kBlockBytes);
  key.text = ByteMask();
  std::memcpy(key.text.bytes, whole.data(), head);
  std::memset(key.mask.bytes, 0xff, head);
  key.rest = whole.substr(head);
  key.special = key.apart || !key.rest.empty();
  key.node = node;
  key.field = node == nullptr ? -1 : node->field;
  key.length = static_cast<uint32_t>(whole.size());
  if (index + kGuards == keys_.size()) keys_.emplace_back();
  keys_[index] = std::move(key);
  return keys_.data() + index + 1;
}

FieldNode* FieldNode::Find(std::string_view name) const {
  const auto at = std::lower_bound(
      children.begin(), children.end(), name,
      [](const std::unique_ptr<FieldNode>& child, std::string_view k) { return child->key < k; });
  return at != children.end() && (*at)->key == name ? at->get() : nullptr;
}

std::unique_ptr<FieldNode> BuildFieldTree(const std::vector<DecodedField>& fields) {
  auto root = std::make_unique<FieldNode>();
  for (uint32_t k = 0; k < fields.size(); ++k) {
    const std::string& name = fields[k].name;
    FieldNode* literal = FindOrAdd(root.get(), name);
    literal->field = static_cast<int32_t>(k);
    if (name.find('.') == name.npos) continue;
    literal->literal = true;
    AddPath(root.get(), name, k);
  }
  return root;
}

}  // namespace rivulet::decode
