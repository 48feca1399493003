#include "node/live/journal_log.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "node/live/log.h"

namespace rivulet {
namespace {

using Fields = std::vector<std::string>;

TEST_CASE("fields of a line") {
  CHECK(JournalFields('i', "stopping", "pi-1") ==
        Fields{"PRIORITY=6", "MESSAGE=stopping", "RIVULET_NODE=pi-1"});
  CHECK(JournalFields('w', LogMessage("pipeline 'a' stopped").Of("a"), "") ==
        Fields{"PRIORITY=4", "MESSAGE=pipeline 'a' stopped", "RIVULET_PIPELINE=a"});
  const LogMessage message(Status(ErrorCode::kStoreFull, "1 GB"), "commit: ");
  const Fields fields = JournalFields('e', message, "pi-1");
  REQUIRE(fields.size() == 4);
  CHECK(fields[0] == "PRIORITY=3");
  CHECK(fields[1].starts_with("MESSAGE=commit: E3004 "));
  CHECK(fields[3] == "RIVULET_ERROR_CODE=E3004");
}

TEST_CASE("fields of a fault in a file") {
  LogMessage message("a.yaml:7:12: E2002 ...");
  message.code = ErrorCode::kUnknownName;
  message.file = "a.yaml";
  message.line = 7;
  CHECK(JournalFields('e', message, "") ==
        Fields{"PRIORITY=3", "MESSAGE=a.yaml:7:12: E2002 ...", "RIVULET_ERROR_CODE=E2002",
               "RIVULET_FILE=a.yaml", "RIVULET_LINE=7"});
}

TEST_CASE("a value cannot become another field") {
  // Fields are handed over one by one, each with its length.
  const Fields fields = JournalFields('e', "a\nPRIORITY=0\nMESSAGE=b", "");
  REQUIRE(fields.size() == 2);
  CHECK(fields[1] == "MESSAGE=a\nPRIORITY=0\nMESSAGE=b");
}

TEST_CASE("the journal's stream is known by device and inode") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  struct stat is {};
  REQUIRE(::fstat(ends[0], &is) == 0);
  const std::string device = std::to_string(is.st_dev), inode = std::to_string(is.st_ino);
  CHECK(IsJournalStream(ends[0], (device + ":" + inode).c_str()));
  CHECK_FALSE(IsJournalStream(ends[1], (device + ":" + inode).c_str()));  // another stream
  CHECK_FALSE(IsJournalStream(ends[0], nullptr));
  for (const std::string& wrong : {std::string(), device, device + ":", inode + ":" + inode,
                                   device + ":" + inode + " ", std::string("a:b")}) {
    CHECK_FALSE(IsJournalStream(ends[0], wrong.c_str()));
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace rivulet
