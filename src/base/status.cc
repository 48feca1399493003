#include "base/status.h"

namespace rivulet {

std::string_view ErrorSummary(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return "ok";
#define RIVULET_ERROR(number, name, summary) \
  case ErrorCode::name:                      \
    return summary;
#include "base/error_codes.inc"
#undef RIVULET_ERROR
  }
  return "unknown error";
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  std::string text = "E" + std::to_string(static_cast<unsigned>(code_)) + " ";
  text += ErrorSummary(code_);
  if (!message_.empty()) {
    text += ": ";
    text += message_;
  }
  return text;
}

}  // namespace rivulet
