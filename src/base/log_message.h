// LogMessage: a line of the log for people, and what of it machines want to find again.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/status.h"

namespace rivulet {

struct LogMessage {
  LogMessage(std::string what) : text(std::move(what)) {}  // NOLINT: implicit on purpose
  LogMessage(const char* what) : text(what) {}             // NOLINT: implicit on purpose
  // "`before`E3001 input/output error: ..."
  explicit LogMessage(const Status& status, const std::string& before = "")
      : text(before + status.ToString()), code(status.code()) {}
  // Who wants only the line.
  operator const std::string&() const { return text; }     // NOLINT: implicit on purpose

  LogMessage Of(std::string name) && {
    pipeline = std::move(name);
    return std::move(*this);
  }

  std::string text;
  ErrorCode code = ErrorCode::kOk;
  std::string pipeline;  // that it is about; empty: none
  std::string file;      // that a person wrote and in which it is; empty: none
  int line = 0;
};

// Levels: 'i' information, 'w' warning, 'e' error.
using LogFunction = std::function<void(char level, const LogMessage&)>;

}  // namespace rivulet
