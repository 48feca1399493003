// MetricsText: figures in the Prometheus text exposition format, version 0.0.4.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rivulet {

// Not thread-safe. Families appear in the order in which they were first named, each with its HELP
// and TYPE once and its samples together, however the calls were mixed.
class MetricsText {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  using Label = std::pair<std::string_view, std::string_view>;
  using Labels = std::span<const Label>;

  // `name` and label names as Prometheus has them ([a-zA-Z_][a-zA-Z0-9_]*); other characters become
  // '_'. Label values may hold anything. The help of a family's first sample counts.
  void Counter(std::string_view name, std::string_view help, Labels labels, uint64_t value);
  void Counter(std::string_view name, std::string_view help, Labels labels, double value);
  void Gauge(std::string_view name, std::string_view help, Labels labels, int64_t value);
  void Gauge(std::string_view name, std::string_view help, Labels labels, double value);

  std::string Text() const;

 private:
  struct Family {
    std::string name;
    std::string text;
  };

  void Sample(std::string_view name, std::string_view type, std::string_view help, Labels labels,
              std::string_view value);

  std::vector<Family> families_;
};

}  // namespace rivulet
