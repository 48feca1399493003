// What the platform and the process limits leave: address space, file sizes, open files, the year 2038.
#include "base/units.h"
#include "node/doctor/checks.h"

namespace rivulet {
namespace {

constexpr uint64_t kOpenFiles = 256;
constexpr EventTime kBeginOf2037{2'114'380'800'000'000};

std::string Size(const std::optional<uint64_t>& limit) {
  return limit ? FormatSize(*limit) : "unlimited";
}

}  // namespace

void CheckLimits(Subject* subject, Findings* findings) {
  const Host& host = *subject->host;
  const NodeSpec& node = *subject->node;
  const Platform platform = host.About();
  const ProcessLimits limits = host.Limits();
  const uint64_t space = node.state_map_size + node.state_memory;
  // A 32-bit process has 3 GB; threads, libraries and holes between them take their share.
  const uint64_t room = 3ull << 29;
  if (platform.pointer_bits == 32 && space > room) {
    findings->Fail("'state.map_size' and 'state.memory' are " + FormatSize(space) +
                       " on a 32-bit system",
                   FormatSize(room) + " or less", "lower them, or use the 64-bit system");
  }
  if (platform.time_bits == 32 && host.Wall() > kBeginOf2037) {
    findings->Fail("this build counts seconds in 32 bits, which ends on 19 January 2038",
                   "64-bit times", "use the 64-bit system");
  }
  if (limits.address_space && *limits.address_space < space) {
    findings->Fail("this process may use " + Size(limits.address_space) + " of addresses ('ulimit -v')",
                   FormatSize(space) + " and more: 'state.map_size' is mapped",
                   "raise the limit ('LimitAS=' of the unit), or lower 'state.map_size'");
  }
  if (limits.file_size && *limits.file_size < node.state_map_size) {
    findings->Fail("files may grow to " + Size(limits.file_size) + " ('ulimit -f')",
                   FormatSize(node.state_map_size) + ": 'state.map_size'",
                   "raise the limit ('LimitFSIZE=' of the unit), or lower 'state.map_size'");
  }
  if (limits.open_files && *limits.open_files < kOpenFiles) {
    findings->Warn(std::to_string(*limits.open_files) + " files may be open ('ulimit -n')",
                   std::to_string(kOpenFiles), "raise the limit ('LimitNOFILE=' of the unit)");
  }
  if (!findings->clean()) return;
  findings->Ok(std::to_string(platform.pointer_bits) + "-bit, times of " +
               std::to_string(platform.time_bits) + " bits" +
               (platform.time_bits == 32 ? " (until 2038)" : "") + ", up to " +
               (limits.open_files ? std::to_string(*limits.open_files) : "any number of") +
               " open files");
}

}  // namespace rivulet
