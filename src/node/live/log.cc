#include "node/live/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>

#include "node/live/journal_log.h"

namespace rivulet {
namespace {

// Set by StartLog before there are threads.
std::string node_name;
bool to_journal = false;

}  // namespace

void StartLog(const std::string& level, const std::string& node) {
  node_name = node;
  to_journal = IsJournalStream(STDERR_FILENO, std::getenv("JOURNAL_STREAM"));
  auto logger = spdlog::stderr_color_mt("rivulet");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

void LogLine(char level, const LogMessage& message) {
  const auto severity = level == 'e'   ? spdlog::level::err
                        : level == 'w' ? spdlog::level::warn
                                       : spdlog::level::info;
  if (!spdlog::should_log(severity)) return;
  if (to_journal && SendToJournal(JournalFields(level, message, node_name))) return;
  spdlog::log(severity, "{}", message.text);
}

void LogFault(const ConfigError& fault) { LogLine('e', fault.ToLog()); }

bool LogIsJournal() { return to_journal; }

}  // namespace rivulet
