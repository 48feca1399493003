// The parts of cli.h that are about the terminal, the clocks and signals.
#include <sys/timex.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <cstring>

#include "node/commands/cli.h"

namespace rivulet {

namespace {

volatile sig_atomic_t interrupted = 0;

constexpr Duration kRedraw = Duration::Millis(200);

std::string FormatSeconds(double seconds) {
  const auto s = static_cast<long long>(std::min(seconds + 0.5, 359'999.0));
  char text[32];
  if (s >= 3600) {
    std::snprintf(text, sizeof(text), "%lldh%02lldm", s / 3600, s / 60 % 60);
  } else if (s >= 60) {
    std::snprintf(text, sizeof(text), "%lldm%02llds", s / 60, s % 60);
  } else {
    std::snprintf(text, sizeof(text), "%llds", s);
  }
  return text;
}

}  // namespace

int ExitCodeOf(const Status& status) {
  if (status.ok()) return kExitOk;
  if (status.code() == ErrorCode::kUsage) return kExitUsage;
  return static_cast<unsigned>(status.code()) < 3000 ? kExitConfig : kExitFailure;
}

int Report(const std::string& command, const Status& status) {
  std::fprintf(stderr, "rivulet %s: %s\n", command.c_str(), status.ToString().c_str());
  return ExitCodeOf(status);
}

bool IsTerminal(int fd) { return isatty(fd) == 1; }

Monotonic MonotonicNow() {
  const auto t = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(t).count()};
}

EventTime WallNow() {
  const auto t = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(t).count()};
}

// A hardware clock that has lost its battery tells another time than the system's, which was set from a file.
bool HardwareClockAgrees() {
  std::ifstream file("/sys/class/rtc/rtc0/since_epoch");
  int64_t seconds = 0;
  if (!(file >> seconds)) return false;
  const int64_t apart = WallNow().us / 1'000'000 - seconds;
  return apart >= -60 && apart <= 60;
}

bool ClockIsKnown() {
  timex t{};
  const int state = ::adjtimex(&t);
  if (state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0) return true;
  return HardwareClockAgrees();
}

std::string FormatCount(double n) {
  char text[32];
  if (n >= 999'950) {
    std::snprintf(text, sizeof(text), "%.2f M", n / 1e6);
  } else if (n >= 10'000) {
    std::snprintf(text, sizeof(text), "%.1f k", n / 1e3);
  } else {
    std::snprintf(text, sizeof(text), "%.0f", n);
  }
  return text;
}

std::string FormatGrouped(uint64_t n) {
  std::string text = std::to_string(n);
  for (size_t k = text.size(); k > 3; k -= 3) text.insert(k - 3, 1, ',');
  return text;
}

Progress::Progress(std::string what, uint64_t total)
    : what_(std::move(what)),
      total_(total),
      visible_(IsTerminal(STDERR_FILENO)),
      started_(MonotonicNow()),
      last_draw_(started_) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::Update(uint64_t done) {
  if (!visible_) return;
  const Monotonic now = MonotonicNow();
  if (now - last_draw_ < kRedraw) return;
  last_draw_ = now;
  drawn_ = true;
  const double rate = static_cast<double>(done) * 1e6 / static_cast<double>((now - started_).us);
  std::string line = FormatGrouped(done) + " " + what_ + ", " + FormatCount(rate) + "/s";
  if (total_ != 0 && rate > 0 && done <= total_) {
    line += ", " + std::to_string(done * 100 / total_) + " %";
    line += ", " + FormatSeconds(static_cast<double>(total_ - done) / rate) + " left";
  }
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
}

void CatchInterrupts() {
  struct sigaction action;
  std::memset(&action, 0, sizeof(action));
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second signal has its usual effect
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return interrupted != 0; }

}  // namespace rivulet
