// The daemon's log: one line an event. Where standard error is the journal of systemd, with levels and fields
// (node/live/journal_log.h); otherwise as text to standard error. Thread-safe.
#pragma once

#include <string>

#include "base/log_message.h"
#include "node/config/config_error.h"

namespace rivulet {

// `level`: "trace", "debug", "info", "warn", "error". `node`: its name, for the journal.
void StartLog(const std::string& level, const std::string& node);
void LogLine(char level, const LogMessage& message);
// A fault in a configuration file, as an error.
void LogFault(const ConfigError& fault);
// Lines go to the journal.
bool LogIsJournal();

}  // namespace rivulet
