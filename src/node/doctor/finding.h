// What the checks of `rivulet doctor` say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rivulet {

enum class Verdict : uint8_t { kOk, kSkipped, kWarning, kFailed };
// "ok", "skipped", "warning", "failed": stable, also in JSON.
std::string_view VerdictName(Verdict verdict);

// One line of the report, all for people.
struct Finding {
  std::string check;
  Verdict verdict = Verdict::kOk;
  std::string found;     // of a skipped check: why
  std::string expected;  // these two only of warnings and failures
  std::string advice;    // what to do
};

// Takes the findings of one check, in order.
class Findings {
 public:
  explicit Findings(std::string check) : check_(std::move(check)) {}

  void Ok(std::string found) { Add(Verdict::kOk, std::move(found), "", ""); }
  // It cannot be told here, and why.
  void Skip(std::string reason) { Add(Verdict::kSkipped, std::move(reason), "", ""); }
  // The node works, and something may go wrong one day.
  void Warn(std::string found, std::string expected, std::string advice) {
    Add(Verdict::kWarning, std::move(found), std::move(expected), std::move(advice));
  }
  // The node cannot do its work, or loses what it promises to keep.
  void Fail(std::string found, std::string expected, std::string advice) {
    Add(Verdict::kFailed, std::move(found), std::move(expected), std::move(advice));
  }

  // Whether nothing but good was found so far.
  bool clean() const;
  const std::vector<Finding>& list() const { return list_; }

 private:
  void Add(Verdict verdict, std::string found, std::string expected, std::string advice);

  const std::string check_;
  std::vector<Finding> list_;
};

}  // namespace rivulet
