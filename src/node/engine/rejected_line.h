// The lines of late records and dead letters, one JSON object each:
//
//   reason        "late", or the error's number and what is wrong
//   record        the record as received: embedded where it is a JSON object or array, or an element of an
//                 exploded array, and shown as text otherwise. One of more than kMaxRecordBytes is text that
//                 is cut there
//   record_bytes  of a record that was cut: how long it is
//   element       of an element of an exploded array: which one, from 0 on
//   topic         the message's topic, cut after kMaxTopicBytes
//   received      when the message was received, epoch ms
//   offset        the message's number in the journal of its lane
//
// The last three are there where the record came from a journal. A result at fault has a reason and the
// result as `record`.
//
// What the lines of one message take is in proportion to its size: when they come to more than
// kBytesOfMessage and kBytesPerByte times its payload, those that are left are one line with E4015, their
// number and the first one's reason, and the message as `record`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/engine/source_task.h"

namespace rivulet {

// One thread. Makes the lines of a step, in their order; those of a message come one after another.
class RejectedLines {
 public:
  static constexpr size_t kMaxRecordBytes = 64 << 10;
  static constexpr size_t kMaxTopicBytes = 256;
  static constexpr size_t kMaxReasonBytes = 4 << 10;
  static constexpr size_t kBytesOfMessage = 256 << 10;
  static constexpr size_t kBytesPerByte = 16;

  // Appends to `*lines`.
  explicit RejectedLines(std::vector<std::string>* lines) : lines_(lines) {}

  // `message` null: a result. `element` as in ElementPlace.
  void Add(std::string_view reason, std::string_view record, const InputMessage* message = nullptr,
           uint32_t element = 0);
  // Behind the last.
  void Finish();
  // Records and results that were added.
  uint64_t count() const { return count_; }

 private:
  std::vector<std::string>* lines_;
  const InputMessage* message_ = nullptr;  // of the last line
  size_t room_ = 0;                        // that its lines still have
  uint64_t left_out_ = 0;
  size_t summary_ = 0;                     // the line that stands for these
  std::string first_left_out_;             // its reason
  uint64_t count_ = 0;
};

}  // namespace rivulet
