// Collects the faults of one file while it is read.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "node/config/config_error.h"
#include "node/config/spec.h"

namespace rivulet {

// `text` in quotes for a message: cut when long, control characters shown as '?'.
std::string QuoteForMessage(std::string_view text);

class Faults {
 public:
  // Hostile text can hold a fault in every line; a person needs the first few.
  static constexpr size_t kMaxFaults = 100;

  Faults(std::string file, ConfigErrors* errors)
      : file_(std::move(file)), errors_(errors), before_(errors->size()) {}

  void Add(SourceMark mark, ErrorCode code, std::string message);

  // Puts the faults of this file in the order of the text: readers look at settings in their own.
  void SortByPlace();

  bool none() const { return errors_->size() == before_; }
  bool full() const { return errors_->size() - before_ >= kMaxFaults; }

 private:
  std::string file_;
  ConfigErrors* errors_;
  size_t before_;
};

}  // namespace rivulet
