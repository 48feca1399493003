// Status and Result: how every fallible function of Rivulet reports failure. Our own code throws
// nothing; exceptions of libraries are caught in the one file that names the library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rivulet {

// The numbered errors of error_codes.inc.
enum class ErrorCode : uint16_t {
  kOk = 0,
#define RIVULET_ERROR(number, name, summary) name = number,
#include "base/error_codes.inc"
#undef RIVULET_ERROR
};

// The one-line summary of a code, e.g. "not a duration"; "ok" for kOk.
std::string_view ErrorSummary(ErrorCode code);

// Success, or a numbered error with a message for people. Cheap to return when ok (no allocation).
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status Ok() { return Status(); }

  bool ok() const { return code_ == ErrorCode::kOk; }
  ErrorCode code() const { return code_; }
  // What was found where, what was expected, what to do. Without the number.
  const std::string& message() const { return message_; }
  // "E1008 not a duration: '5 parsecs' ..." - the form shown to people and matched by scripts.
  std::string ToString() const;

 private:
  ErrorCode code_ = ErrorCode::kOk;
  std::string message_;
};

// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}        // NOLINT: implicit on purpose
  Result(ErrorCode code, std::string message) : status_(code, std::move(message)) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace rivulet

// Returns the status from the enclosing function when `expr` failed.
#define RIVULET_RETURN_IF_ERROR(expr)                 \
  do {                                                \
    ::rivulet::Status rivulet_status_ = (expr);       \
    if (!rivulet_status_.ok()) return rivulet_status_; \
  } while (false)

#define RIVULET_CONCAT_INNER_(a, b) a##b
#define RIVULET_CONCAT_(a, b) RIVULET_CONCAT_INNER_(a, b)
// `RIVULET_ASSIGN_OR_RETURN(auto x, F());` declares x from a Result, or returns its status.
#define RIVULET_ASSIGN_OR_RETURN(decl, expr) \
  RIVULET_ASSIGN_OR_RETURN_IMPL_(RIVULET_CONCAT_(rivulet_result_, __LINE__), decl, expr)
#define RIVULET_ASSIGN_OR_RETURN_IMPL_(tmp, decl, expr) \
  auto tmp = (expr);                                    \
  if (!tmp.ok()) return tmp.status();                   \
  decl = std::move(tmp).value()
