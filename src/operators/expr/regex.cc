#include "operators/expr/regex.h"

#include <re2/re2.h>

namespace rivulet::expr {
namespace {

// Of a compiled pattern with the automata it builds as it meets texts; RE2 starts those anew when
// they grow beyond their share.
constexpr int64_t kMaxBytes = int64_t{1} << 20;
constexpr size_t kMaxPattern = 4096;

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

RE2::Options MakeOptions() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxBytes);
  return options;
}

}  // namespace

struct Regex::Impl {
  explicit Impl(std::string_view pattern) : re(Piece(pattern), MakeOptions()) {}
  RE2 re;
};

Regex::Regex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Regex::~Regex() = default;

std::unique_ptr<const Regex> Regex::Compile(std::string_view pattern, std::string* error) {
  if (pattern.size() > kMaxPattern) {
    *error = "it has " + std::to_string(pattern.size()) + " bytes, at most " +
             std::to_string(kMaxPattern) + " are allowed";
    return nullptr;
  }
  auto impl = std::make_unique<Impl>(pattern);
  if (!impl->re.ok()) {
    *error = impl->re.error();
    return nullptr;
  }
  return std::unique_ptr<const Regex>(new Regex(std::move(impl)));
}

int Regex::group_count() const { return impl_->re.NumberOfCapturingGroups(); }

bool Regex::Find(std::string_view text, size_t from, std::span<std::string_view> groups) const {
  if (text.data() == nullptr) text = "";
  re2::StringPiece found[kMaxGroups];
  if (!impl_->re.Match(Piece(text), from, text.size(), RE2::UNANCHORED, found,
                       static_cast<int>(groups.size()))) {
    return false;
  }
  for (size_t k = 0; k < groups.size(); ++k) groups[k] = {found[k].data(), found[k].size()};
  return true;
}

}  // namespace rivulet::expr
