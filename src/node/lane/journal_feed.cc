#include "node/lane/journal_feed.h"

#include <algorithm>

namespace rivulet {
namespace {

// Who does not read for a while, as it closes windows or waits for a sink, soon does; to find its place again
// costs reading its segment.
constexpr uint64_t kKeptRounds = 100;
constexpr size_t kKeptReaders = 8;

std::span<const JournalEntry> Some(std::span<const JournalEntry> entries, size_t max_entries,
                                   size_t max_bytes) {
  size_t count = 0, bytes = 0;
  while (count < entries.size() && count < max_entries && bytes < max_bytes) {
    bytes += entries[count].payload.size() + entries[count].topic.size();
    ++count;
  }
  return entries.first(count);
}

}  // namespace

// The place that has read `from`, or would read it next.
Result<JournalFeed::Place*> JournalFeed::Find(Offset from) {
  const auto covers = [from](const auto& place) {
    return place->begin <= from && from <= place->reader->position();
  };
  auto found = std::find_if(places_.begin(), places_.end(), covers);
  if (found == places_.end()) {
    auto place = std::make_unique<Place>();
    RIVULET_ASSIGN_OR_RETURN(place->reader, journal_->NewReader(from));
    place->begin = from;
    found = places_.insert(places_.end(), std::move(place));
  }
  (*found)->used = round_;
  return found->get();
}

Status JournalFeed::Prepare(Offset from) { return Find(from).status(); }

Result<std::span<const JournalEntry>> JournalFeed::Read(Offset from, size_t max_entries,
                                                        size_t max_bytes) {
  RIVULET_ASSIGN_OR_RETURN(Place * place, Find(from));
  const auto before = [](const JournalEntry& e, Offset offset) { return e.offset < offset; };
  auto first = std::lower_bound(place->entries.begin(), place->entries.end(), from, before);
  if (first == place->entries.end()) {
    place->begin = place->reader->position();
    const Status status = place->reader->Read(max_entries, max_bytes, &place->entries);
    if (!status.ok()) {
      // What it holds is not known: the next call begins with another reader.
      std::erase_if(places_, [place](const auto& p) { return p.get() == place; });
      return status;
    }
    first = place->entries.begin();
  }
  return Some({first, place->entries.end()}, max_entries, max_bytes);
}

void JournalFeed::EndRound() {
  // Those that were used first, then the last used.
  std::stable_sort(places_.begin(), places_.end(),
                   [](const auto& a, const auto& b) { return a->used > b->used; });
  size_t unused = 0;
  std::erase_if(places_, [&](const auto& p) {
    return p->used != round_ && (++unused > kKeptReaders || p->used + kKeptRounds < round_);
  });
  ++round_;
  std::vector<Offset> positions;
  std::erase_if(places_, [&positions](const auto& p) {
    const Offset position = p->reader->position();
    if (std::find(positions.begin(), positions.end(), position) != positions.end()) return true;
    positions.push_back(position);
    return false;
  });
}

}  // namespace rivulet
