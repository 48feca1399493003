// DeadReasons: why records became dead letters, each reason with its count and one example, for people.
// Bounded: a few hundred bytes a reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rivulet {

class DeadReasons {
 public:
  struct Reason {
    uint64_t count = 0;
    std::string text;     // of its first dead letter: "E4003 field has the wrong type: ..."
    std::string example;  // that dead letter's record, cut
  };

  // `line` is a dead letter: {"reason":"...", and further members, the record last.
  void Note(std::string_view line);
  // The most frequent first, at most `most`; of equals the one that came first.
  std::vector<Reason> Top(size_t most) const;
  // Dead letters of reasons that came when no more were kept.
  uint64_t others() const { return others_; }

 private:
  struct Entry {
    std::string kind;  // the reason without what differs from record to record
    Reason reason;
  };
  std::vector<Entry> entries_;
  uint64_t others_ = 0;
};

}  // namespace rivulet
