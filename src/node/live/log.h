// The daemon's log: one line an event, to stderr (journald or a terminal). Thread-safe.
#pragma once

#include <string>

namespace rivulet {

// `level`: "debug", "info", "warning", "error".
void StartLog(const std::string& level);
// Levels: 'i' information, 'w' warning, 'e' error.
void LogLine(char level, const std::string& line);

}  // namespace rivulet
