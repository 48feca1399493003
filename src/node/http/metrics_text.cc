#include "node/http/metrics_text.h"

#include <algorithm>
#include <cmath>

#include "base/json_writer.h"

namespace rivulet {

namespace {

std::string Name(std::string_view text) {
  std::string name(text);
  for (size_t k = 0; k < name.size(); ++k) {
    const char c = name[k];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !(digit && k > 0)) name[k] = '_';
  }
  return name.empty() ? "_" : name;
}

void AppendEscaped(std::string* out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      *out += "\\\\";
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '"' && quotes) {
      *out += "\\\"";
    } else {
      *out += c;
    }
  }
}

std::string FloatText(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  std::string text;
  AppendJsonFloat(&text, v);
  return text;
}

}  // namespace

void MetricsText::Sample(std::string_view name, std::string_view type, std::string_view help,
                         Labels labels, std::string_view value) {
  const std::string clean = Name(name);
  auto family = std::find_if(families_.begin(), families_.end(),
                             [&](const Family& f) { return f.name == clean; });
  if (family == families_.end()) {
    std::string head = "# HELP " + clean + " ";
    AppendEscaped(&head, help, false);
    head += "\n# TYPE " + clean + " ";
    head += type;
    head += "\n";
    families_.push_back({clean, std::move(head)});
    family = families_.end() - 1;
  }
  std::string& text = family->text;
  text += clean;
  for (size_t k = 0; k < labels.size(); ++k) {
    text += k == 0 ? "{" : ",";
    text += Name(labels[k].first) + "=\"";
    AppendEscaped(&text, labels[k].second, true);
    text += '"';
  }
  if (!labels.empty()) text += '}';
  text += ' ';
  text += value;
  text += '\n';
}

void MetricsText::Counter(std::string_view name, std::string_view help, Labels labels,
                          uint64_t value) {
  Sample(name, "counter", help, labels, std::to_string(value));
}

void MetricsText::Counter(std::string_view name, std::string_view help, Labels labels,
                          double value) {
  Sample(name, "counter", help, labels, FloatText(value));
}

void MetricsText::Gauge(std::string_view name, std::string_view help, Labels labels,
                        int64_t value) {
  Sample(name, "gauge", help, labels, std::to_string(value));
}

void MetricsText::Gauge(std::string_view name, std::string_view help, Labels labels,
                        double value) {
  Sample(name, "gauge", help, labels, FloatText(value));
}

std::string MetricsText::Text() const {
  std::string text;
  for (const Family& f : families_) text += f.text;
  return text;
}

}  // namespace rivulet
