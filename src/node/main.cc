// `rivulet`: finds the sub-command and hands it the rest of the command line.
#include <malloc.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/suggest.h"
#include "node/commands/commands.h"

namespace {

using rivulet::Arguments;

struct Command {
  const char* name;
  int (*run)(const Arguments&);
  const char* summary;
};

constexpr Command kCommands[] = {
    {"run", rivulet::RunCommand, "run pipelines against a broker until stopped"},
    {"validate", rivulet::ValidateCommand, "check pipeline and node files without running them"},
    {"explain", rivulet::ExplainCommand, "show how a pipeline will be carried out"},
    {"replay", rivulet::ReplayCommand, "run a pipeline over recorded data and print its results"},
    {"generate", rivulet::GenerateCommand, "make up telemetry, into a file or to a broker"},
    {"status", rivulet::StatusCommand, "show how a running node is doing"},
    {"doctor", rivulet::DoctorCommand, "find out what keeps a node from working well here"},
    {"version", rivulet::VersionCommand, "show the version"},
};

void PrintHelp(FILE* to) {
  std::fputs("Usage: rivulet COMMAND [options]\n\n"
             "Stream processing for small machines: telemetry from MQTT, windows in event time,\n"
             "exactly-once results.\n\nCommands:\n",
             to);
  for (const Command& c : kCommands) std::fprintf(to, "  %-10s %s\n", c.name, c.summary);
  std::fputs("\n'rivulet help COMMAND' tells more about one of them.\n", to);
}

const Command* Find(const std::string& name) {
  for (const Command& c : kCommands) {
    if (name == c.name) return &c;
  }
  return nullptr;
}

int RefuseUnknown(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& c : kCommands) names.emplace_back(c.name);
  std::fprintf(stderr, "rivulet: E1012 unknown command '%s'%s\nSee 'rivulet --help'.\n",
               name.c_str(), rivulet::DidYouMean(name, names).c_str());
  return rivulet::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  // What a large message took goes back to the system when it is over: left to itself, the allocator keeps
  // the more, the larger the blocks were that it was given back.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  Arguments args(argv + 1, argv + argc);
  if (args.empty()) {
    PrintHelp(stderr);
    return rivulet::kExitUsage;
  }
  std::string name = args[0];
  args.erase(args.begin());
  if (name == "--version" || name == "-V") name = "version";
  if (name == "help" || name == "--help" || name == "-h") {
    if (args.empty()) {
      PrintHelp(stdout);
      return rivulet::kExitOk;
    }
    name = args[0];
    args = {"--help"};
  }
  const Command* command = Find(name);
  return command == nullptr ? RefuseUnknown(name) : command->run(args);
}
