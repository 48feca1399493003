#include "state/ordered_bytes.h"

namespace rivulet {

OrderedBytes::Map::iterator OrderedBytes::Erase(Map::iterator it) {
  bytes_ -= it->first.size() + it->second.size();
  return map_.erase(it);
}

void OrderedBytes::Apply(const Delta& delta) {
  DeltaReader reader(delta.bytes());
  DeltaReader::Operation op;
  while (reader.Next(&op)) {
    auto it = map_.lower_bound(op.key);
    const bool found = it != map_.end() && it->first == op.key;
    switch (op.kind) {
      case DeltaReader::Kind::kPut:
        if (!found) {
          it = map_.emplace_hint(it, op.key, std::string());
          bytes_ += op.key.size();
        }
        bytes_ += op.value.size();
        bytes_ -= it->second.size();
        it->second.assign(op.value);
        break;
      case DeltaReader::Kind::kDelete:
        if (found) Erase(it);
        break;
      case DeltaReader::Kind::kDeleteRange:
        while (it != map_.end() && it->first < op.value) it = Erase(it);
        break;
    }
  }
}

bool OrderedBytes::Get(std::string_view key, std::string* value) const {
  const auto it = map_.find(key);
  if (it == map_.end()) return false;
  *value = it->second;
  return true;
}

void OrderedBytes::Scan(std::string_view from, std::string_view to,
                        const Store::Visitor& visit) const {
  for (auto it = map_.lower_bound(from); it != map_.end() && it->first < to; ++it) {
    if (!visit(it->first, it->second)) return;
  }
}

}  // namespace rivulet
