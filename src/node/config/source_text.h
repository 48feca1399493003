// The bytes of a YAML file by line and column: what the parser's events leave out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/faults.h"
#include "node/config/spec.h"

namespace rivulet {

// Looks at `text`, which must outlive it. Columns count bytes from 1, as the parser's do.
class SourceText {
 public:
  explicit SourceText(std::string_view text);

  // Refuses what must not reach the parser: too large, a line too long, too many brackets, not
  // UTF-8, or control characters (the parser takes byte 4 for the end of the file and would ignore
  // the rest). Errors: kYamlSyntax.
  bool Check(Faults* faults) const;

  // The byte at `mark`; 0 outside the text.
  char At(SourceMark mark) const;

  // Where the text of the scalar token at `mark` begins: behind the quote, or for a block ('|',
  // '>') in the line below at the block's indentation.
  SourceMark TextBegin(SourceMark mark, bool quoted) const;

  // "null" or "~" as written at `mark`, as the name of a setting or as a value; "" when a null stands there
  // because nothing was written.
  std::string NullWordAt(SourceMark mark, bool name) const;

 private:
  bool CheckSize(Faults* faults) const;
  std::string_view Line(int line) const;  // 1-based, without its line break

  std::string_view text_;
  std::vector<size_t> line_begins_;
};

}  // namespace rivulet
