// CsvReader: RFC 4180 lines to cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rivulet::decode {

struct CsvCell {
  std::string_view text;  // unquoted; valid until the next line is read
  bool quoted = false;
};

enum class CsvLine : uint8_t {
  kLine,       // cells() and raw() are the next line that is not blank
  kEnd,        // no further line
  kMalformed,  // raw() is a line at fault, fault() says why; reading may go on behind it
};

// Reads one payload line by line. A line ends with LF, CRLF or the payload; a quoted cell may hold
// delimiters, line ends and doubled quotes. A quote inside a cell that does not begin with one is
// text. Malformed: text behind a closing quote, a quote that is never closed (the line is then the
// rest of the payload), more than kMaxCsvCells cells. Not thread-safe.
class CsvReader {
 public:
  explicit CsvReader(char delimiter) : delimiter_(delimiter) {}

  // Starts over with `payload`, which must outlive the reading.
  void Start(std::string_view payload);
  CsvLine Next();

  const std::vector<CsvCell>& cells() const { return cells_; }
  std::string_view raw() const { return raw_; }
  // Of a malformed line: a literal.
  const char* fault() const { return fault_; }

 private:
  bool ReadQuoted();
  void ReadPlain();
  CsvLine Malformed(const char* fault, size_t start);
  bool AtLineEnd() const { return at_ == text_.size() || text_[at_] == '\n' || AtCrLf(); }
  bool AtCrLf() const { return text_.substr(at_).starts_with("\r\n"); }
  void EndLine(size_t start);

  const char delimiter_;
  std::string_view text_;
  size_t at_ = 0;
  std::vector<CsvCell> cells_;
  std::string_view raw_;
  const char* fault_ = "";
  // Bytes of quoted cells with doubled quotes in them. Reserved for a whole payload at its start,
  // so that views into it stay valid.
  std::string unquoted_;
};

}  // namespace rivulet::decode
