// Which results come once more, and in which process: of those that processes before have published.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace rivulet::sim {

class Repetitions {
 public:
  // Another process.
  void Started() {
    ++process_;
    again_.clear();
  }
  // Power cuts and failing disks may take notes of deliveries; nothing is counted from then on.
  void NotesMayBeLost() { counting_ = false; }

  // Returns how many different results of `stream` the process has published that came before it.
  size_t Published(const std::string& stream, const std::string& result) {
    uint64_t& last = last_[result];
    if (last != 0 && last != process_ && counting_) ++again_[stream];
    last = process_;
    return again_[stream];
  }

 private:
  uint64_t process_ = 0;
  bool counting_ = true;
  std::map<std::string, uint64_t> last_;  // the process that published it
  std::map<std::string, size_t> again_;
};

}  // namespace rivulet::sim
