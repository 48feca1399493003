// LineInput: a file or standard input as the messages of turns, one line each. The log that a replay reads:
// its offsets are byte positions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "node/engine/source_task.h"

namespace rivulet {

class LineInput {
 public:
  // "-" is standard input. Errors: kFileNotReadable.
  static Result<std::unique_ptr<LineInput>> Open(const std::string& path);
  ~LineInput();

  // Takes the first line away (a CSV header). Empty at the end of the input.
  Result<std::string> TakeLine();
  // Goes on at `offset`, which must not lie before the current one. Standard input is read and thrown away.
  Status SkipTo(uint64_t offset);

  // A line can begin with {"@arrival": T, its receive time in epoch ms; {"@tick": T} and {"@arrival": T}
  // alone say that nothing else came up to then. {"@tick": T, "@resumes": true}: nor was listened to.
  //
  // Lines of several sources: each is an object that begins with {"@source": NAME, or is a punctuation or a
  // tick. It may go on with "@arrival". What names none of these is of no source.
  void SetSources(std::vector<std::string> names) { sources_ = std::move(names); }

  // The next lines, about `bytes` of them, without line ends; blank lines are left out. Empty at the end. The
  // views are valid until the next call and have kPayloadPadding bytes behind them. A line
  // {"@watermark": t} becomes a punctuation, its time in `unit`; one whose time makes no sense stays a
  // record, and so becomes a dead letter. Errors: kIo, kRecordTooLarge (a line over 64 MB).
  Status Read(size_t bytes, TimeUnit unit, std::vector<InputMessage>* messages);

  // From here on a line {"@table": NAME, ..} is a row of that table of the pipeline's, by its number here;
  // with "@delete": true it has the key of a row to be removed. One that names none of them stays a record.
  void SetTables(std::vector<std::string> names) { tables_ = std::move(names); }
  // Every line is a row of this one.
  void SetOnlyTable(uint32_t table) { only_table_ = table; }

  // Position behind the last line given out.
  uint64_t offset() const { return offset_; }
  // 0 when not known (a pipe).
  uint64_t size() const { return size_; }

 private:
  explicit LineInput(int fd, bool owned) : fd_(fd), owned_(owned) {}
  // Reads until the buffer holds `bytes` or the input ends.
  Status Fill(size_t bytes);
  void AddLine(std::string_view line, uint64_t offset, TimeUnit unit,
               std::vector<InputMessage>* messages);
  bool ParseTableLine(std::string_view line, InputMessage* message) const;

  // Of a line that begins as no record does: false when it is one all the same.
  bool ParseControl(std::string_view line, TimeUnit unit, InputMessage* message) const;
  // False when the line names no source.
  bool FindSource(std::string_view line, InputMessage* message) const;

  std::vector<std::string> sources_;
  int fd_;
  bool owned_;
  bool ended_ = false;
  uint64_t size_ = 0;
  uint64_t offset_ = 0;      // of buffer_[begin_]
  std::vector<char> buffer_; // size: capacity; the content is [begin_, end_)
  size_t begin_ = 0, end_ = 0;
  std::vector<std::string> tables_;
  std::optional<uint32_t> only_table_;
};

}  // namespace rivulet
