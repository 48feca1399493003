// FieldTree: which keys of a JSON object are wanted, at which depth, and by which field.
//
// Records of one source repeat their keys in the same order. Each object of the tree therefore
// remembers the raw keys it saw last and where each leads; a key is first compared with the one
// expected at its place (a compare of sixteen bytes) and looked up only when that fails.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/decode/byte_block.h"
#include "operators/decode/decoder.h"

namespace rivulet::decode {

struct FieldNode;

// The keys expected in an object, in order, as raw bytes: with quotes, escapes kept. Not thread-safe.
class KeyOrder {
 public:
  struct Key {
    // The key from its opening quote to its closing one, and the colon where it follows at once. An
    // unescaped quote ends a key, so no length is needed.
    ByteMask text{{1}};
    ByteMask mask;
    uint32_t length = 0;        // with quotes and colon
    int32_t field = -1;         // of the node
    FieldNode* node = nullptr;  // where the key leads; null: not wanted
    // What is not as with most keys.
    bool special = false;  // one of the following
    bool apart = false;    // the colon does not follow at once
    std::string rest;      // bytes that do not fit into `text`

    bool Matches(const char* at) const {
      if (!VectorBlock::Same(at, mask, text)) return false;
      return !special || std::memcmp(at + kBlockBytes, rest.data(), rest.size()) == 0;
    }
  };

  KeyOrder() : keys_(kGuards) {}

  // The key expected first.
  const Key* first() const { return keys_.data(); }
  // `at` points to where the opening quote of a key should be and has kPayloadPadding readable bytes
  // behind it. Returns the key `expected`, or the one after (an optional key is left out), when that is
  // the one there; what is behind the returned one is expected next. Null: another one.
  static const Key* Predict(const char* at, const Key* expected) {
    if (expected->Matches(at)) return expected;
    return expected[1].Matches(at) ? expected + 1 : nullptr;
  }
  // Expects the key `raw` (without its quotes, which are before and behind it in the text, as is the byte
  // after) at `place` from now on. Returns what is expected next; pointers given before are void.
  const Key* Learn(std::string_view raw, FieldNode* node, const Key* place);

 private:
  static constexpr size_t kMaxKeys = 256;
  static constexpr size_t kGuards = 2;  // keys at the end that match nothing
  static constexpr size_t kMaxLength = kPayloadPadding;

  std::vector<Key> keys_;  // and kGuards more
};

// A key that leads to fields. `field` is the index of the field that takes its value, or -1.
struct FieldNode {
  std::string key;
  int32_t field = -1;
  bool literal = false;  // a top-level key with dots: counts before the path of the same name
  bool path = false;     // the end of a path of several keys
  std::vector<std::unique_ptr<FieldNode>> children;  // sorted by key
  std::vector<uint32_t> below;  // fields that end deeper down: they need this value to be an object
  KeyOrder order;               // of the keys in this object

  // The child of that (unescaped) key or null.
  FieldNode* Find(std::string_view name) const;
};

// The root stands for the record itself. A name with dots is wanted twice: as a literal top-level
// key and as a path.
std::unique_ptr<FieldNode> BuildFieldTree(const std::vector<DecodedField>& fields);

}  // namespace rivulet::decode
