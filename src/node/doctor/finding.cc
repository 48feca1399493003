#include "node/doctor/finding.h"

#include <algorithm>

namespace rivulet {
namespace {

// Texts come from files, brokers and kernels: nothing in them may steer a terminal or break a line.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk: return "ok";
    case Verdict::kSkipped: return "skipped";
    case Verdict::kWarning: return "warning";
    case Verdict::kFailed: break;
  }
  return "failed";
}

bool Findings::clean() const {
  return std::all_of(list_.begin(), list_.end(), [](const Finding& f) {
    return f.verdict == Verdict::kOk || f.verdict == Verdict::kSkipped;
  });
}

void Findings::Add(Verdict verdict, std::string found, std::string expected, std::string advice) {
  list_.push_back({check_, verdict, Printable(std::move(found)), Printable(std::move(expected)),
                   Printable(std::move(advice))});
}

}  // namespace rivulet
