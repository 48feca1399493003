// Log lines for systemd's journal: with a level and fields of their own, by which they are found again
// ('journalctl RIVULET_PIPELINE=..'). Fields: systemd.journal-fields(7).
#pragma once

#include <string>
#include <vector>

#include "base/log_message.h"

namespace rivulet {

// True when `fd` is the stream that `journal_stream` names ("8:12345", device and inode): what systemd put
// into $JOURNAL_STREAM is inherited also by programs whose output goes elsewhere. Null: false.
bool IsJournalStream(int fd, const char* journal_stream);

// "PRIORITY=3", "MESSAGE=..", RIVULET_NODE, and RIVULET_ERROR_CODE, RIVULET_PIPELINE, RIVULET_FILE and
// RIVULET_LINE where they are known.
std::vector<std::string> JournalFields(char level, const LogMessage& message, const std::string& node);

// Hands fields to the journal, by its own protocol: a value may hold anything, also line ends, and remains
// one value. False when that did not work. Thread-safe.
bool SendToJournal(const std::vector<std::string>& fields);

}  // namespace rivulet
