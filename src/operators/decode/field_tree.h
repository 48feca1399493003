// FieldTree: which keys of a JSON object are wanted, at which depth, and by which field.
//
// Records of one source repeat their keys in the same order. Each object of the tree therefore
// remembers the raw keys it saw last and where each leads; a key is first compared with the one
// expected at its place (one or two word compares) and looked up only when that fails.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/decode/decoder.h"

namespace rivulet::decode {

struct FieldNode;

// The raw keys (as between their quotes, escapes kept) expected in an object, in order. Not
// thread-safe.
class KeyOrder {
 public:
  KeyOrder() : keys_(kGuards) {}

  // `raw` points behind the opening quote of a key and has kPayloadPadding readable bytes behind
  // it. True when it is the key expected at `*place` or the one after (an optional key is left
  // out): then `*node` is where it leads (null: not wanted) and `*place` has moved on.
  bool Predict(const char* raw, size_t* place, FieldNode** node) const {
    const Key* key = keys_.data() + *place;
    if (!key->Matches(raw)) {
      ++key;
      if (!key->Matches(raw)) return false;
      ++*place;
    }
    ++*place;
    *node = key->node;
    return true;
  }
  // The same, and the key's length with its closing quote; 0: not the key expected.
  size_t PredictLength(const char* raw, size_t* place, FieldNode** node) const {
    if (!Predict(raw, place, node)) return 0;
    return keys_[*place - 1].length;
  }
  // Expects the key `raw` (without quotes) at `*place` from now on, and moves on.
  void Learn(std::string_view raw, FieldNode* node, size_t* place);

 private:
  static constexpr size_t kMaxKeys = 256;
  static constexpr size_t kGuards = 2;   // keys at the end that match nothing
  static constexpr size_t kWords = 16;  // bytes compared as two words
  static constexpr size_t kMaxLength = kPayloadPadding;

  struct Key {
    // The key and its closing quote. An unescaped quote ends a key, so no length is needed.
    uint64_t word[2] = {1, 0};
    uint64_t mask[2] = {0, 0};
    FieldNode* node = nullptr;
    uint32_t length = 0;  // with the closing quote
    std::string rest;     // bytes from kWords on

    bool Matches(const char* raw) const {
      uint64_t found[2];
      std::memcpy(found, raw, sizeof(found));
      if ((((found[0] & mask[0]) ^ word[0]) | ((found[1] & mask[1]) ^ word[1])) != 0) return false;
      return rest.empty() || std::memcmp(raw + kWords, rest.data(), rest.size()) == 0;
    }
  };
  std::vector<Key> keys_;  // and kGuards more
};

// A wanted key. `field` is the index of the field that takes its value, or -1.
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
