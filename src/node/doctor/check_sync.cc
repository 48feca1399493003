// How long the medium takes to have written: what commits and the journal wait for.
#include <algorithm>
#include <cstdio>

#include "node/doctor/checks.h"

namespace rivulet {
namespace {

constexpr int kWrites = 40;
constexpr Duration kWithin = Duration::Seconds(3);

std::string Millis(Duration d) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f ms", static_cast<double>(d.us) / 1000);
  return text;
}

void Judge(const NodeSpec& node, const std::string& measured, Duration half, Duration longest,
           Findings* findings) {
  constexpr char kAdvice[] =
      "a worn or cheap card: use one of class A1/A2, a USB SSD or NVMe; until then a longer "
      "'commit.interval' and 'journal.interval', or 'commit.durability: local'";
  // A commit syncs the journal and twice the store.
  const Duration commit{half.us * 3};
  if (commit > node.commit_interval && half > Duration::Millis(100)) {
    findings->Fail(measured, "a commit, three syncs, within 'commit.interval'", kAdvice);
  } else if (node.journal.sync == JournalSync::kAlways && half > Duration::Millis(10)) {
    findings->Warn(measured + ": at most " + std::to_string(1'000'000 / half.us) +
                       " messages/s with 'journal.sync: always'",
                   "10 ms or less", "'journal.sync: interval', or a faster medium");
  } else if (node.journal.sync == JournalSync::kInterval && half.us * 2 > node.journal_interval.us) {
    findings->Warn(measured, "half of the syncs in less than half of 'journal.interval'", kAdvice);
  } else if (longest > std::max(node.commit_interval, Duration::Millis(500))) {
    findings->Warn(measured, "no sync longer than 'commit.interval'", kAdvice);
  } else {
    findings->Ok(measured);
  }
}

}  // namespace

void CheckSync(Subject* subject, Findings* findings) {
  const Host& host = *subject->host;
  const NodeSpec& node = *subject->node;
  const Result<DiskSpace> space = host.Space(node.data_directory);
  if (!space.ok()) {
    findings->Skip("there is no data directory yet");
    return;
  }
  if (space->read_only || space->free_bytes < node.disk_reserve) {
    findings->Skip("not measured on a disk that is full or read-only");
    return;
  }
  Result<std::vector<Duration>> times = host.TimeSyncs(node.data_directory, kWrites, kWithin);
  if (!times.ok() || times->empty()) {
    findings->Skip(times.ok() ? "nothing measured" : times.status().message());
    return;
  }
  std::sort(times->begin(), times->end());
  const Duration half{std::max<int64_t>(1, (*times)[times->size() / 2].us)};
  const Duration longest = times->back();
  Judge(node,
        "half of " + std::to_string(times->size()) + " syncs took up to " + Millis(half) +
            ", the longest " + Millis(longest),
        half, longest, findings);
}

}  // namespace rivulet
