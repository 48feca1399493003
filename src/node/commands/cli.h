// What every command needs from the terminal: options with help and "did you mean", progress, and
// a clean end on Ctrl-C. The only user of Boost.Program_options.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "node/commands/commands.h"

namespace rivulet {

// The options of one command. Each is bound to a variable, whose value at that moment is the
// default, shown by --help unless empty or 0; the variables must outlive Parse. Names are without
// the leading "--"; a short form may follow after a comma ("output,o"). Abbreviated option names
// are refused, so that new options never change what an old script means.
class CommandLine {
 public:
  // `command` as in "generate"; `usage` is what follows it in the usage line; `about` says what the
  // command does.
  CommandLine(std::string command, std::string usage, std::string about);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  void Flag(const std::string& name, bool* value, const std::string& help);
  void Text(const std::string& name, const std::string& placeholder, std::string* value,
            const std::string& help);
  // May be given several times.
  void Texts(const std::string& name, const std::string& placeholder,
             std::vector<std::string>* values, const std::string& help);
  // A whole number, 0 or more.
  void Count(const std::string& name, const std::string& placeholder, uint64_t* value,
             const std::string& help);
  // A number, finite.
  void Number(const std::string& name, const std::string& placeholder, double* value,
              const std::string& help);
  // Arguments without a dash: at least `least`, at most `most`.
  void Operands(const std::string& placeholder, std::vector<std::string>* values, size_t least,
                size_t most);
  // A line shown under "Example:" or "Examples:".
  void Example(std::string line);

  // Nothing: go on. Otherwise the exit code to return at once: kExitOk after --help was shown,
  // kExitUsage after the complaint was written to stderr.
  std::optional<int> Parse(const Arguments& args);

  // After Parse: whether the option was written on the command line.
  bool Given(const std::string& name) const;

  // Writes the complaint and where to find help to stderr; returns kExitUsage.
  int Refuse(const std::string& complaint) const;
  std::string Help() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Of Boost.Program_options, as in "1.74.0".
std::string ProgramOptionsVersion();

// Writes "rivulet COMMAND: E1234 ..." to stderr and returns the exit code for that kind of error.
int Report(const std::string& command, const Status& status);

// The exit code for an error by its number: 1012 usage, other 1xxx and 2xxx configuration, else
// failure.
int ExitCodeOf(const Status& status);

bool IsTerminal(int fd);
Monotonic MonotonicNow();
EventTime WallNow();
// Whether a time server has set the system's clock, or a hardware clock agrees with it.
bool ClockIsKnown();

// "1.25 M", "980.0 k", "73": a count or rate for people.
std::string FormatCount(double n);
// "1,234,567".
std::string FormatGrouped(uint64_t n);

// One line on stderr that is redrawn a few times a second: how many, how fast and, when the total
// is known, how long yet. Silent when stderr is not a terminal. Not thread-safe.
class Progress {
 public:
  // `what` as in "readings"; `total` 0: not known.
  Progress(std::string what, uint64_t total);
  ~Progress();  // wipes the line
  void Update(uint64_t done);

 private:
  std::string what_;
  uint64_t total_;
  bool visible_;
  bool drawn_ = false;
  Monotonic started_, last_draw_;
};

// From the first call on SIGINT and SIGTERM only set a flag; a second one ends the process at once.
void CatchInterrupts();
bool Interrupted();

}  // namespace rivulet
