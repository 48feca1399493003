#include "node/replay/line_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "operators/decode/payload_text.h"

namespace rivulet {
namespace {

constexpr size_t kLongestLine = 64u << 20;

// Takes `text` and white space around it off the front.
bool Take(std::string_view* line, std::string_view text) {
  const auto skip = [line] {
    while (!line->empty() && (line->front() == ' ' || line->front() == '\t')) line->remove_prefix(1);
  };
  skip();
  if (!line->starts_with(text)) return false;
  line->remove_prefix(text.size());
  skip();
  return true;
}

// Takes {"name": off the front.
bool TakeName(std::string_view* line, std::string_view name) {
  return Take(line, "{") && Take(line, "\"") && Take(line, name) && Take(line, "\"") && Take(line, ":");
}

// Takes a receive time off the front.
bool TakeArrival(std::string_view* line, int64_t* us) {
  int64_t ms = 0;
  const auto [stop, error] = std::from_chars(line->data(), line->data() + line->size(), ms);
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 1000;
  if (error != std::errc() || ms < 0 || ms > kMost) return false;
  line->remove_prefix(static_cast<size_t>(stop - line->data()));
  *us = ms * 1000;
  return true;
}

// The time of a punctuation line; false when it is none.
bool ParsePunctuation(std::string_view line, TimeUnit unit, int64_t* us) {
  const nlohmann::json value = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object() || value.size() != 1) return false;
  const nlohmann::json& time = value.front();
  RecordBatch batch;
  batch.Reset(1, 1);
  batch.rows = 1;
  if (time.is_number_integer()) {
    batch.columns[0].SetInt(0, time.get<int64_t>());
  } else if (time.is_number_float()) {
    batch.columns[0].SetFloat(0, time.get<double>());
  } else if (time.is_string()) {
    batch.columns[0].SetString(0, time.get_ref<const std::string&>());
  } else {
    return false;
  }
  std::vector<RowError> errors;
  ExtractEventTime(&batch, Selection::All(1), 0, unit, &errors);
  *us = batch.event_time[0];
  return errors.empty();
}

}  // namespace

Result<std::unique_ptr<LineInput>> LineInput::Open(const std::string& path) {
  if (path == "-") return std::unique_ptr<LineInput>(new LineInput(STDIN_FILENO, false));
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0) {
    const Status status(ErrorCode::kFileNotReadable, "'" + path + "': " + std::strerror(errno));
    if (fd >= 0) ::close(fd);
    return status;
  }
  if (S_ISDIR(info.st_mode)) {
    ::close(fd);
    return Status(ErrorCode::kFileNotReadable, "'" + path + "' is a directory; expected a file");
  }
  std::unique_ptr<LineInput> input(new LineInput(fd, true));
  if (S_ISREG(info.st_mode)) {
    input->size_ = static_cast<uint64_t>(info.st_size);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  return input;
}

LineInput::~LineInput() {
  if (owned_) ::close(fd_);
}

Status LineInput::Fill(size_t bytes) {
  if (end_ - begin_ >= bytes) return Status::Ok();
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < bytes + kPayloadPadding) buffer_.resize(bytes + kPayloadPadding);
  while (!ended_ && end_ < bytes) {
    const ssize_t n = ::read(fd_, buffer_.data() + end_, bytes - end_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Status(ErrorCode::kIo, std::string("reading the input: ") + std::strerror(errno));
    if (n == 0) ended_ = true;
    end_ += static_cast<size_t>(n);
  }
  return Status::Ok();
}

Result<std::string> LineInput::TakeLine() {
  for (size_t want = 64 << 10;; want *= 2) {
    RIVULET_RETURN_IF_ERROR(Fill(want));
    const char* start = buffer_.data() + begin_;
    const void* newline = std::memchr(start, '\n', end_ - begin_);
    if (newline == nullptr && !ended_ && want < kLongestLine) continue;
    const size_t length =
        newline ? static_cast<size_t>(static_cast<const char*>(newline) - start) : end_ - begin_;
    std::string line(start, length);
    const size_t taken = length + (newline ? 1 : 0);
    begin_ += taken;
    offset_ += taken;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return std::string(decode::WithoutMarks(line));
  }
}

Status LineInput::SkipTo(uint64_t offset) {
  if (offset < offset_) return Status(ErrorCode::kOffsetTrimmed, "the input has gone past the offset");
  if (size_ > 0 && offset > size_) {
    return Status(ErrorCode::kStateMismatch,
                  "the input has " + std::to_string(size_) + " bytes, but the state has already read " +
                      std::to_string(offset) + "; is it the same file?");
  }
  while (offset_ < offset) {
    RIVULET_RETURN_IF_ERROR(Fill(256 << 10));
    const size_t n = std::min<uint64_t>(end_ - begin_, offset - offset_);
    if (n == 0) {
      return Status(ErrorCode::kStateMismatch, "the input ends before where the state got to");
    }
    begin_ += n;
    offset_ += n;
  }
  return Status::Ok();
}

bool LineInput::ParseTableLine(std::string_view line, InputMessage* message) const {
  if (std::string_view rest = line; !TakeName(&rest, "@table")) return false;
  const nlohmann::json value = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return false;
  const nlohmann::json& name = value["@table"];
  const auto known = name.is_string() ? std::find(tables_.begin(), tables_.end(), name.get<std::string>())
                                      : tables_.end();
  if (known == tables_.end()) return false;
  message->table = static_cast<uint32_t>(known - tables_.begin());
  message->removes = value.value("@delete", nlohmann::json()) == true;
  return true;
}

bool LineInput::ParseControl(std::string_view line, TimeUnit unit, InputMessage* message) const {
  std::string_view rest = line;
  if (TakeName(&rest, "@watermark")) {
    if (!ParsePunctuation(line, unit, &message->watermark_us)) return false;
    message->kind = InputMessage::Kind::kWatermark;
    return true;
  }
  int64_t received = 0;
  rest = line;
  const bool arrival = TakeName(&rest, "@arrival");
  if (!arrival) rest = line;
  if (!arrival && !TakeName(&rest, "@tick")) return false;
  if (!TakeArrival(&rest, &received)) return false;
  const bool resumes = !arrival && Take(&rest, ",") && Take(&rest, "\"@resumes\"") && Take(&rest, ":") &&
                       Take(&rest, "true");
  const bool tick = Take(&rest, "}") && rest.empty();
  if (!tick && !arrival) return false;
  message->payload.arrival_us = received;
  message->resumes = resumes;
  if (tick) message->kind = InputMessage::Kind::kTick;
  return tick;
}

void LineInput::AddLine(std::string_view line, uint64_t offset, TimeUnit unit,
                        std::vector<InputMessage>* messages) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  // Nearly every line is a record, and one look at its beginning shows it.
  const bool record = line.size() > 2 && line[0] > ' ' && line[1] > ' ' && line[2] != '@';
  if (!record && line.find_first_not_of(" \t") == std::string_view::npos) return;
  // Made where it stays: copied there right after it is written, each copy would wait for the writing.
  InputMessage& message = messages->emplace_back();
  message.payload = {line, 0, offset};
  if (!record && ParseControl(line, unit, &message)) {
    // No record.
  } else if (!sources_.empty() && !FindSource(line, &message)) {
    message.source = InputMessage::kNoSource;
  }
  if (only_table_) {
    message.kind = InputMessage::Kind::kTable;
    message.table = *only_table_;
  } else if (!record && !tables_.empty() && ParseTableLine(line, &message)) {
    message.kind = InputMessage::Kind::kTable;
  }
}

bool LineInput::FindSource(std::string_view line, InputMessage* message) const {
  if (!Take(&line, "{") || !Take(&line, "\"@source\"") || !Take(&line, ":") || !Take(&line, "\"")) {
    return false;
  }
  const size_t end = line.find('"');
  const auto name = std::find(sources_.begin(), sources_.end(), line.substr(0, end));
  if (end == std::string_view::npos || name == sources_.end()) return false;
  message->source = static_cast<uint8_t>(name - sources_.begin());
  line.remove_prefix(end + 1);
  if (!Take(&line, ",") || !Take(&line, "\"@arrival\"") || !Take(&line, ":")) return true;
  (void)TakeArrival(&line, &message->payload.arrival_us);
  return true;
}

Status LineInput::Read(size_t bytes, TimeUnit unit, std::vector<InputMessage>* messages) {
  messages->clear();
  for (size_t want = bytes; messages->empty(); want *= 2) {
    RIVULET_RETURN_IF_ERROR(Fill(want));
    if (begin_ == end_) return Status::Ok();
    const char* at = buffer_.data() + begin_;
    const char* stop = buffer_.data() + end_;
    while (at < stop) {
      const void* newline = std::memchr(at, '\n', static_cast<size_t>(stop - at));
      if (newline == nullptr && !ended_) break;
      const char* line_end = newline ? static_cast<const char*>(newline) : stop;
      const char* next = newline ? line_end + 1 : stop;
      AddLine({at, static_cast<size_t>(line_end - at)}, offset_, unit, messages);
      offset_ += static_cast<uint64_t>(next - at);
      at = next;
    }
    begin_ = static_cast<size_t>(at - buffer_.data());
    if (messages->empty() && want >= kLongestLine) {
      return Status(ErrorCode::kRecordTooLarge, "a line of the input is longer than 64 MB");
    }
  }
  return Status::Ok();
}

}  // namespace rivulet
