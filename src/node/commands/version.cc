// `rivulet version`.
#include <cstdio>

#include "node/commands/cli.h"
#include "node/http/http_client.h"
#include "node/sinks/sqlite_sink.h"

namespace rivulet {

namespace {

void PrintDetail(const char* name, const std::string& value) {
  std::printf("  %-22s %s\n", name, value.c_str());
}

}  // namespace

int VersionCommand(const Arguments& args) {
  bool verbose = false;
  CommandLine line("version", "[--verbose]", "Shows the version of Rivulet.");
  line.Flag("verbose,v", &verbose, "also the compiler and the versions of libraries");
  if (const std::optional<int> done = line.Parse(args)) return *done;
  std::puts("rivulet " RIVULET_VERSION);
  if (!verbose) return kExitOk;
  PrintDetail("compiler", __VERSION__);
  PrintDetail("SQLite", SqliteVersion());
  PrintDetail("cpp-httplib", HttpLibraryVersion());
  PrintDetail("Boost.Program_options", ProgramOptionsVersion());
  return kExitOk;
}

}  // namespace rivulet
