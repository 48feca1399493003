#include "operators/state/named_rows.h"

#include <algorithm>
#include <cstdint>

#include "base/coding.h"
#include "base/hash.h"

namespace rivulet {

std::string NamedPrefix(const std::string& prefix, std::string_view signature) {
  std::string row = prefix;
  PutFixed(&row, static_cast<uint32_t>(Hash64(signature)));
  return row;
}

Status DropUnknown(const std::string& prefix, const std::vector<std::string>& known, const StateView& view,
                   StateChanges* changes) {
  const std::string stop = AfterPrefix(prefix);
  for (std::string from = prefix; !from.empty();) {
    std::string found;
    RIVULET_RETURN_IF_ERROR(view.Scan(from, stop, [&](std::string_view row, std::string_view) {
      found = row.substr(0, prefix.size() + sizeof(uint32_t));
      return false;
    }));
    if (found.empty()) return Status::Ok();
    const std::string next = AfterPrefix(found);
    if (std::find(known.begin(), known.end(), found) == known.end()) changes->DeleteRange(found, next);
    from = next;
  }
  return Status::Ok();
}

}  // namespace rivulet
