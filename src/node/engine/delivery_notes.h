// DeliveryNotes: how far sinks are, noted as soon as receivers have acknowledged it, so that a process
// that is killed has little sent once more although commits are rare.
//
// The store says how far sinks were with the last commit; the notes, in a file beside it, what came since.
// They are written without a sync: they survive the process, not a power cut. What is missing of them, or
// damaged, costs repetitions and nothing else.
//
//   file   := header frame*
//   header := magic      8 bytes   "RVLTNOTE"
//             epoch      8 bytes   as in the store: see below
//             file       8 bytes   grows with each file that takes the place of the one before
//             checksum   4 bytes   low half of Hash64 over the bytes above
//   frame  := checksum   4 bytes   low half of Hash64 over the header, the frame's position (8 bytes) and
//                                  all that follows of it
//             length     varint    bytes behind this field
//             note*
//   note   := sink       varint    numbered in the order in which they first appear in the file
//             [row       length and bytes: where a number appears first, the key of its cursor in the store]
//             next       varint    the first entry of its output log that it does not have
//
// A note is 9 bytes mostly. Reading ends at the first frame that is not sound. A file of kMostBytes is
// written anew, beside it and then renamed, behind a commit that has made most notes superfluous: without
// these.
//
// Output logs are numbered, and what number 7 is never changes as long as the store's past is one: until
// the folder of the state is made anew or put back from a copy, or a power cut takes back commits. Then the
// store has another epoch, or a note points past the end of its log: none of them counts, and a new epoch
// is stored with the next commit, which is before any other entry can get such a number.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/engine/commit_listener.h"
#include "state/file.h"

namespace rivulet {

// One thread.
class DeliveryNotes final : public CommitListener {
 public:
  static constexpr uint64_t kMostBytes = 64 << 10;

  // `files` outlives it.
  DeliveryNotes(FileSystem* files, std::string path) : files_(files), path_(std::move(path)) {}

  // Reads what processes before have noted. `epoch`: as stored; 0: none is.
  void Open(uint64_t epoch);

  // The epoch, when it is new: to be stored with the next commit. Otherwise 0.
  uint64_t TakeNewEpoch();

  // Where the sink goes on whose cursor is under `row` and says `stored`; `end`: of its output log, as
  // committed. `known`: the store has the row.
  uint64_t Next(std::string_view row, bool known, uint64_t stored, uint64_t end);

  // The receiver has everything before `next`. False: it could not be noted; after the next commit it may.
  bool Note(std::string_view row, uint64_t next);

  // A commit takes along how far all sinks are; and it is durable: what was noted before is not needed.
  void OnCollected() override;
  void OnCommitted() override;

  uint64_t bytes_written() const { return bytes_written_; }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};
  struct Sink {
    uint64_t next = 0;
    uint64_t number = kNone; // in the file, if it has one
    bool collected = false;  // a commit has taken it along
  };

  std::string ReadFile() const;
  bool ReadHeader(std::string_view* in, uint64_t* epoch);
  void ReadFrames(std::string_view in);
  bool ReadNotes(std::string_view in, std::vector<Sink*>* numbered);
  uint32_t Checksum(uint64_t position, std::string_view rest) const;
  void AppendNote(const std::string& row, Sink* sink, std::string* notes);
  bool Write(std::string_view notes);
  bool StartFile();
  void Forget();

  FileSystem* const files_;
  const std::string path_;
  std::unique_ptr<OutputFile> file_;  // null: the next note starts one
  std::string header_;                // of the file
  uint64_t epoch_ = 0, number_ = 0;   // of the file
  bool epoch_is_new_ = false;
  bool failed_ = false;               // until the next commit
  std::map<std::string, Sink, std::less<>> sinks_;
  uint64_t numbered_ = 0;             // sinks that have a number
  uint64_t largest_ = kMostBytes;     // beyond, the file is written anew
  uint64_t bytes_written_ = 0;
  std::string frame_, notes_;         // scratch
};

}  // namespace rivulet
