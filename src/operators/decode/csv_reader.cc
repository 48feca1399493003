#include "operators/decode/csv_reader.h"

#include <algorithm>

#include "operators/decode/limits.h"

namespace rivulet::decode {

void CsvReader::Start(std::string_view payload) {
  text_ = payload;
  at_ = 0;
  cells_.clear();
  unquoted_.clear();
  if (unquoted_.capacity() > kKeptScratchBytes) unquoted_.shrink_to_fit();
  unquoted_.reserve(payload.size());
}

CsvLine CsvReader::Next() {
  while (at_ < text_.size() && AtLineEnd()) at_ += text_[at_] == '\r' ? 2 : 1;
  if (text_.substr(at_) == "\r") at_ = text_.size();
  if (at_ == text_.size()) return CsvLine::kEnd;
  cells_.clear();
  unquoted_.clear();
  const size_t start = at_;
  for (;;) {
    if (cells_.size() == kMaxCsvCells) return Malformed("line has more than 4096 cells", start);
    if (at_ < text_.size() && text_[at_] == '"') {
      if (!ReadQuoted()) return Malformed("quoted cell is not closed", start);
    } else {
      ReadPlain();
    }
    if (AtLineEnd()) break;
    if (text_[at_] != delimiter_) return Malformed("text behind the closing quote", start);
    ++at_;
  }
  EndLine(start);
  return CsvLine::kLine;
}

// The line ends here: `raw_` is all of it, and the next one starts behind its end.
void CsvReader::EndLine(size_t start) {
  raw_ = text_.substr(start, at_ - start);
  if (raw_.ends_with('\r')) raw_.remove_suffix(1);
  if (at_ < text_.size()) at_ += text_[at_] == '\r' ? 2 : 1;
}

CsvLine CsvReader::Malformed(const char* fault, size_t start) {
  fault_ = fault;
  at_ = std::min(text_.find('\n', at_), text_.size());
  EndLine(start);
  return CsvLine::kMalformed;
}

void CsvReader::ReadPlain() {
  const size_t start = at_;
  while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n') ++at_;
  size_t end = at_;
  // The CR of a CRLF, and one at the end of the payload where its LF was cut off.
  const bool ends_line = at_ == text_.size() || text_[at_] == '\n';
  if (ends_line && end > start && text_[end - 1] == '\r') --end;
  if (at_ < text_.size() && text_[at_] == '\n') at_ = end;
  cells_.push_back({text_.substr(start, end - start), false});
}

bool CsvReader::ReadQuoted() {
  const size_t start = ++at_;
  const size_t copied = unquoted_.size();
  size_t part = start;  // from here on nothing is copied yet
  for (;;) {
    const size_t quote = text_.find('"', at_);
    if (quote == text_.npos) {
      at_ = text_.size();
      return false;
    }
    at_ = quote + 1;
    if (at_ == text_.size() || text_[at_] != '"') {
      std::string_view cell = text_.substr(part, quote - part);
      if (part != start) {
        unquoted_.append(cell);
        cell = std::string_view(unquoted_).substr(copied);
      }
      cells_.push_back({cell, true});
      if (text_.substr(at_) == "\r") at_ = text_.size();
      return true;
    }
    unquoted_.append(text_.substr(part, at_ - part));  // with the first of the two quotes
    part = ++at_;
  }
}

}  // namespace rivulet::decode
