#include "node/live/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace rivulet {

void StartLog(const std::string& level) {
  auto logger = spdlog::stderr_color_mt("rivulet");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

void LogLine(char level, const std::string& line) {
  switch (level) {
    case 'e': spdlog::error("{}", line); break;
    case 'w': spdlog::warn("{}", line); break;
    default: spdlog::info("{}", line); break;
  }
}

}  // namespace rivulet
