// A YAML file as a tree that remembers where everything was said. The only place that parses YAML:
// the readers work on this tree and never see the library behind it.
//
// What is taken is the plain part of YAML 1.2: one document of maps, lists and scalars. Anchors,
// aliases and tags are refused (an alias can make a small file unfold without bound), and size,
// depth, line length and the number of values are limited, so hostile text gives errors only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/faults.h"
#include "node/config/spec.h"

namespace rivulet {

inline constexpr size_t kMaxYamlBytes = 1 << 20;
inline constexpr size_t kMaxYamlLine = 64 << 10;
// Brackets, braces and commas: behind one that is never closed, the library's scanner keeps every
// token up to the end of the text.
inline constexpr size_t kMaxYamlBrackets = 50'000;
inline constexpr int kMaxYamlDepth = 32;
inline constexpr size_t kMaxYamlValues = 20'000;

struct YamlEntry;

struct YamlNode {
  enum class Kind : unsigned char { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  bool quoted = false;  // 'x', "x" or a block: text, never a number or a truth value
  // Scalars: the text and the place of its first character (inside the quotes; for a block, the
  // line after the '|'). A null that was written out ("null", "~") keeps its text too.
  MarkedText scalar;
  std::vector<YamlNode> items;      // list
  std::vector<YamlEntry> entries;   // map, in file order, each key once

  SourceMark mark() const { return scalar.mark; }
  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }
};

struct YamlEntry {
  MarkedText key;
  YamlNode value;
};

// "a list", "a map", "nothing", "'text'": what was found, for messages.
std::string Describe(const YamlNode& node);

// Parses `text` into `*root` (null for an empty document). Errors: kYamlSyntax; kDuplicateSetting
// for a key given twice (the first one stays). False when there is no tree to go on with.
bool ParseYaml(std::string_view text, YamlNode* root, Faults* faults);

}  // namespace rivulet
