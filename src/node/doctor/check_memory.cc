// Whether there is memory for what the node file allows.
#include <algorithm>

#include "base/units.h"
#include "node/doctor/checks.h"

namespace rivulet {
namespace {

// What a node needs beside the state of windows: the program, resident pages of the store, results
// under way.
constexpr uint64_t kFixed = 48ull << 20;
constexpr uint64_t kSwapInUse = 64ull << 20;

// A line of /proc/meminfo, "MemTotal:  948304 kB", in bytes.
std::optional<uint64_t> Figure(const std::string& text, std::string_view name) {
  for (const std::string_view line : LinesOf(text)) {
    if (!line.starts_with(name)) continue;
    const auto kilobytes = LeadingNumberOf(line.substr(name.size()));
    if (kilobytes && *kilobytes >= 0) return static_cast<uint64_t>(*kilobytes) << 10;
  }
  return std::nullopt;
}

void CheckMachine(const Subject& subject, const std::string& text, uint64_t needed,
                  Findings* findings) {
  const auto total = Figure(text, "MemTotal:"), free = Figure(text, "MemAvailable:");
  if (!total || !free) {
    findings->Skip("/proc/meminfo does not say how much memory there is");
    return;
  }
  const std::string wanted =
      FormatSize(needed) + ": 'state.memory' and " + FormatSize(kFixed) + " beside it";
  constexpr char kAdvice[] = "a smaller 'state.memory' (the rest goes to disk), or fewer programs";
  if (needed > *total) {
    findings->Fail(FormatSize(*total) + " of memory in all", wanted, kAdvice);
  } else if (!subject.holder && needed > *free) {
    findings->Warn(FormatSize(*free) + " of memory available", wanted, kAdvice);
  } else {
    findings->Ok(FormatSize(*free) + " of " + FormatSize(*total) + " available" +
                 (subject.holder ? " beside the node" : "") + "; it needs up to " +
                 FormatSize(needed));
  }
}

void CheckSwap(const Host& host, Findings* findings) {
  const Result<std::string> text = host.Read("/proc/swaps");
  if (!text.ok()) return;
  for (const std::string_view line : LinesOf(*text)) {
    const auto words = WordsOf(line);
    if (words.size() < 5 || words[0].find("zram") != std::string_view::npos) continue;
    const auto used = NumberOf(words[3]);
    if (!used || *used << 10 < kSwapInUse || words[0] == "Filename") continue;
    findings->Warn(FormatSize(*used << 10) + " are swapped out to " + std::string(words[0]),
                   "next to nothing", "swapping wears a card and stalls the node: a smaller "
                   "'state.memory', fewer programs, or zram instead");
  }
}

// The limit of the service, and of this process where it is in a group of its own.
void CheckGroup(const Subject& subject, uint64_t needed, Findings* findings) {
  const Host& host = *subject.host;
  const std::string root = "/sys/fs/cgroup";
  const Result<std::string> controllers = host.Read(root + "/cgroup.controllers");
  if (controllers.ok()) {
    const auto words = WordsOf(*controllers);
    if (std::find(words.begin(), words.end(), "memory") == words.end()) {
      findings->Warn("the kernel runs without its memory controller: 'MemoryMax=' of the service has "
                     "no effect",
                     "the memory controller",
                     "add 'cgroup_enable=memory' to /boot/firmware/cmdline.txt and restart, as "
                     "Raspberry Pi OS turns it off");
    }
  }
  const std::string group =
      subject.holder ? subject.holder->control_group : "/system.slice/rivulet.service";
  const Result<std::string> limit = host.Read(root + group + "/memory.max");
  const auto most = limit.ok() ? NumberOf(Trimmed(*limit)) : std::nullopt;
  if (most && *most < needed) {
    findings->Fail("the service may use " + FormatSize(*most) + " (" + group + ")",
                   FormatSize(needed) + ", or it may be killed",
                   "a larger 'MemoryMax=' ('systemctl edit rivulet'), or a smaller 'state.memory'");
  }
}

}  // namespace

void CheckMemory(Subject* subject, Findings* findings) {
  const uint64_t needed = subject->node->state_memory + kFixed;
  const Result<std::string> text = subject->host->Read("/proc/meminfo");
  if (text.ok()) {
    CheckMachine(*subject, *text, needed, findings);
  } else {
    findings->Skip(text.status().message());
  }
  CheckSwap(*subject->host, findings);
  CheckGroup(*subject, needed, findings);
}

}  // namespace rivulet
