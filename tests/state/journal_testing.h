// What the journal's tests share: messages that can be told apart, and reading everything back.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state/journal.h"

namespace rivulet::testing {

struct Message {
  uint64_t offset = 0;
  std::string topic;
  std::string payload;
  int64_t received_us = 0;
  uint16_t packet_id = 0;
  bool operator==(const Message&) const = default;
};

// The `i`-th message of a test: a few topics, times that also go backwards, sizes from 0.
inline Message MakeMessage(uint64_t i) {
  Message m;
  m.offset = i;
  m.topic = "fleet/vehicle-" + std::to_string(i % 5) + "/speed";
  m.payload = std::string(i % 7 * 3, static_cast<char>('a' + i % 26)) + std::to_string(i);
  m.received_us = 1'700'000'000'000'000 + static_cast<int64_t>(i) * 1000 - (i % 3 == 0 ? 5000 : 0);
  m.packet_id = static_cast<uint16_t>(i % 4 == 0 ? 0 : i + 1);
  return m;
}

inline Status TryAppend(Journal* journal, const Message& m, bool duplicate = false,
                        bool* dropped = nullptr) {
  bool ignored = false;
  return journal->Append(m.topic, m.payload, EventTime{m.received_us}, m.packet_id, duplicate,
                         dropped != nullptr ? dropped : &ignored);
}

// Appends MakeMessage(i) for i in [from, to) and returns them.
inline std::vector<Message> AppendMessages(Journal* journal, uint64_t from, uint64_t to) {
  std::vector<Message> messages;
  for (uint64_t i = from; i < to; ++i) {
    messages.push_back(MakeMessage(i));
    const Status status = TryAppend(journal, messages.back());
    REQUIRE_MESSAGE(status.ok(), status.ToString());
  }
  return messages;
}

inline std::unique_ptr<Journal> OpenJournal(FileSystem* files, const JournalOptions& options,
                                            JournalRecovery* recovery = nullptr) {
  JournalRecovery ignored;
  auto journal = Journal::Open(files, options, recovery != nullptr ? recovery : &ignored);
  REQUIRE_MESSAGE(journal.ok(), journal.status().ToString());
  return std::move(journal).value();
}

inline std::vector<Message> ReadFrom(Journal* journal, Offset from, size_t max_entries = 100) {
  auto reader = journal->NewReader(from);
  REQUIRE_MESSAGE(reader.ok(), reader.status().ToString());
  std::vector<Message> messages;
  std::vector<JournalEntry> entries;
  while (true) {
    const Status status = (*reader)->Read(max_entries, 64 << 10, &entries);
    REQUIRE_MESSAGE(status.ok(), status.ToString());
    if (entries.empty()) return messages;
    REQUIRE(entries.size() <= max_entries);
    for (const JournalEntry& e : entries) {
      messages.push_back({e.offset.value, std::string(e.topic), std::string(e.payload),
                          e.received.us, e.packet_id});
    }
  }
}

inline std::vector<Message> ReadAll(Journal* journal) {
  return ReadFrom(journal, journal->begin());
}

}  // namespace rivulet::testing
