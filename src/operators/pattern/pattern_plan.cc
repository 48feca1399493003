#include "operators/pattern/pattern_plan.h"

#include <algorithm>

namespace rivulet {

void PatternPlan::Finish() {
  block_bytes = 0;
  has_heap = false;
  all_matter = false;
  for (PatternElement& e : elements) {
    e.offset = block_bytes;
    block_bytes += e.captures.block_bytes();
    has_heap = has_heap || e.captures.has_heap();
    all_matter = all_matter || e.next;
  }
}

std::string PatternPlan::Signature() const {
  std::string text = "pattern " + std::to_string(within_us) + (to_next ? " to next" : "") + "\n";
  for (const PatternElement& e : elements) {
    text += e.negated ? "not " + std::to_string(e.hold_us) : e.name + " " + std::to_string(e.least) + ".." +
                                                                 std::to_string(e.most);
    text += std::string(e.optional ? " optional" : "") + (e.reluctant ? " reluctant" : "") +
            (e.next ? " next" : "") + " " + std::to_string(e.within_us) + " where " + e.text;
    for (const AccumulatorSlot& slot : e.captures.slots()) text += ", " + slot.signature;
    for (const uint32_t value : e.capture_values) text += " " + std::to_string(value);
    text += "\n";
  }
  return text + std::to_string(accepts.size());
}

void PatternPlan::Init(char* block) const {
  for (const PatternElement& e : elements) e.captures.Init(block + e.offset);
}

void PatternPlan::Destroy(char* block) const {
  if (!has_heap) return;
  for (const PatternElement& e : elements) e.captures.Destroy(block + e.offset);
}

void PatternPlan::Copy(char* into, const char* from) const {
  if (!has_heap) {
    std::copy_n(from, block_bytes, into);
    return;
  }
  Init(into);
  for (const PatternElement& e : elements) e.captures.Merge(into + e.offset, from + e.offset);
}

void PatternPlan::Encode(const char* block, std::string* out) const {
  for (const PatternElement& e : elements) e.captures.Encode(block + e.offset, out);
}

bool PatternPlan::Decode(std::string_view* in, char* block) const {
  for (size_t i = 0; i < elements.size(); ++i) {
    if (elements[i].captures.Decode(in, block + elements[i].offset)) continue;
    while (i-- > 0) elements[i].captures.Destroy(block + elements[i].offset);
    return false;
  }
  return true;
}

size_t PatternPlan::HeapBytes(const char* block) const {
  if (!has_heap) return 0;
  size_t bytes = 0;
  for (const PatternElement& e : elements) bytes += e.captures.HeapBytes(block + e.offset);
  return bytes;
}

}  // namespace rivulet
