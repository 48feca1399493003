#include "node/live/journal_log.h"

#include <sys/stat.h>

#include <cstdio>

namespace rivulet {

bool IsJournalStream(int fd, const char* journal_stream) {
  if (journal_stream == nullptr) return false;
  unsigned long long device = 0, inode = 0;
  char rest = 0;
  if (std::sscanf(journal_stream, "%llu:%llu%c", &device, &inode, &rest) != 2) return false;
  struct stat is {};
  return ::fstat(fd, &is) == 0 && is.st_dev == device && is.st_ino == inode;
}

std::vector<std::string> JournalFields(char level, const LogMessage& message, const std::string& node) {
  // Those of syslog: error, warning, information.
  const char* const priority = level == 'e' ? "3" : level == 'w' ? "4" : "6";
  std::vector<std::string> fields = {std::string("PRIORITY=") + priority, "MESSAGE=" + message.text};
  if (!node.empty()) fields.push_back("RIVULET_NODE=" + node);
  if (message.code != ErrorCode::kOk) {
    fields.push_back("RIVULET_ERROR_CODE=E" + std::to_string(static_cast<unsigned>(message.code)));
  }
  if (!message.pipeline.empty()) fields.push_back("RIVULET_PIPELINE=" + message.pipeline);
  if (!message.file.empty()) fields.push_back("RIVULET_FILE=" + message.file);
  if (message.line > 0) fields.push_back("RIVULET_LINE=" + std::to_string(message.line));
  return fields;
}

}  // namespace rivulet
