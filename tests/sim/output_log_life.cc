#include "sim/output_log_life.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/sim_store.h"
#include "state/output_log.h"

namespace rivulet::sim {
namespace {

constexpr size_t kLimit = 128 << 10;
constexpr size_t kBlock = 64 << 10;  // the log frees memory in blocks
constexpr size_t kLongestLine = 3000;

class OutputLogLife {
 public:
  explicit OutputLogLife(uint64_t seed) : random_(seed) { Restart(); }

  std::string Run() {
    for (int step = 0; step < 600 && wrong_.empty(); ++step) {
      const uint64_t kind = random_.Below(100);
      if (kind < 55) {
        Append();
      } else if (kind < 75) {
        Commit();
      } else if (kind < 97) {
        Read();
      } else {
        Restart();
      }
    }
    return wrong_;
  }

 private:
  void Append() {
    for (uint64_t n = random_.Below(20); n > 0; --n) {
      const std::string filling(random_.Below(kLongestLine), 'x');
      lines_.push_back(filling + std::to_string(lines_.size()));
      log_->Append(static_cast<uint32_t>(lines_.size()), -5, "key", lines_.back());
    }
  }

  // Turns go on while the commit is under way.
  void Commit() {
    Delta delta;
    log_->Trim(stored_cursor_ = delivered_);
    log_->CollectChanges(&delta);
    const size_t collected = lines_.size();
    if (log_->MemoryBytes() > kLimit + kBlock + kLongestLine) {
      wrong_ = std::to_string(log_->MemoryBytes()) + " bytes in memory behind a commit";
    }
    if (random_.Chance(0.5)) Append();
    if (!store_.Commit(delta).ok()) wrong_ = "the commit failed";
    committed_ = collected;
    committed_cursor_ = stored_cursor_;
    if (random_.Chance(0.3)) Read();
    log_->OnCommitted();
    readable_ = collected;
  }

  void Read() {
    const uint64_t from = delivered_;
    const size_t limit = 1 + random_.Below(300);
    uint64_t next = from;
    const Status status = log_->Read(from, limit, [&](const OutputLog::Entry& e) {
      if (e.sequence != next || next >= lines_.size() || e.json != lines_[next] ||
          e.revision != next + 1 || e.key != "key" || e.start_us != -5) {
        wrong_ = "entry " + std::to_string(next) + " reads differently";
      }
      ++next;
    });
    if (!status.ok()) wrong_ = status.ToString();
    const uint64_t expected = std::min<uint64_t>(readable_ - from, limit);
    // From the store only a part may come at once, but never nothing.
    if (next - from > expected || (expected > 0 && next == from)) {
      wrong_ = std::to_string(next - from) + " entries from " + std::to_string(from) + " on, " +
               std::to_string(expected) + " were expected";
    }
    // Mostly the receiver is slow.
    if (random_.Chance(0.4)) delivered_ = next;
  }

  // Back to the last commit.
  void Restart() {
    lines_.resize(committed_);
    readable_ = committed_;
    delivered_ = stored_cursor_ = committed_cursor_;
    log_ = std::make_unique<OutputLog>("o1", &store_, kLimit, committed_);
  }

  Random random_;
  SimStore store_;
  std::unique_ptr<OutputLog> log_;
  std::vector<std::string> lines_;  // all entries, by sequence
  uint64_t readable_ = 0;
  uint64_t delivered_ = 0;          // the receiver has those before
  uint64_t stored_cursor_ = 0;      // and this is in the commit under way
  uint64_t committed_ = 0, committed_cursor_ = 0;
  std::string wrong_;
};

}  // namespace

bool CheckOutputLog(uint64_t seed) {
  const std::string wrong = OutputLogLife(seed).Run();
  if (wrong.empty()) return true;
  std::printf("FAILED output log, life %llu: %s\n", static_cast<unsigned long long>(seed),
              wrong.c_str());
  return false;
}

}  // namespace rivulet::sim
