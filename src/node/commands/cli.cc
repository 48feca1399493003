#include "node/commands/cli.h"

#include <boost/program_options.hpp>
#include <boost/version.hpp>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <sstream>

#include "base/suggest.h"

namespace rivulet {

namespace po = boost::program_options;

namespace {

template <typename T>
bool ParseWhole(const std::string& text, T* value) {
  const char* end = text.data() + text.size();
  const auto [p, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && p == end;
}

std::string NumberText(double v) {
  char buffer[32];
  const auto r = std::to_chars(buffer, buffer + sizeof(buffer), v);
  return {buffer, r.ptr};
}

}  // namespace

struct CommandLine::Impl {
  std::string command, usage, about;
  std::vector<std::string> examples;
  po::options_description options{"Options", 100, 60};
  po::options_description hidden;
  po::positional_options_description positional;
  po::variables_map given;
  std::string operand_placeholder;
  std::vector<std::string>* operands = nullptr;
  size_t least = 0, most = 0;
  // Converts what was given; returns a complaint or "".
  std::vector<std::function<std::string(const po::variables_map&)>> takers;

  // Declares an option with one value whose text `take` converts; `take` is false on bad text.
  void Declare(const std::string& name, const std::string& placeholder, const std::string& shown,
               const std::string& help, const std::string& expected,
               std::function<bool(const std::string&)> take) {
    const std::string text = shown.empty() ? help : help + " [" + shown + "]";
    options.add_options()(name.c_str(), po::value<std::string>()->value_name(placeholder),
                          text.c_str());
    const std::string key = name.substr(0, name.find(','));
    takers.push_back([key, expected, take](const po::variables_map& vm) -> std::string {
      if (vm.count(key) == 0) return "";
      const auto& found = vm[key].as<std::string>();
      if (take(found)) return "";
      return "--" + key + " is '" + found + "'; expected " + expected;
    });
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& option : options.options()) names.push_back("--" + option->long_name());
    return names;
  }

  std::string TakeAll() {
    for (const auto& take : takers) {
      std::string complaint = take(given);
      if (!complaint.empty()) return complaint;
    }
    std::vector<std::string> found;
    if (given.count("operands") != 0) found = given["operands"].as<std::vector<std::string>>();
    if (found.size() < least) return operand_placeholder + " is missing";
    if (found.size() > most) return "'" + found[most] + "' is one argument too many";
    if (operands != nullptr) *operands = std::move(found);
    return "";
  }
};

CommandLine::CommandLine(std::string command, std::string usage, std::string about)
    : impl_(std::make_unique<Impl>()) {
  impl_->command = std::move(command);
  impl_->usage = std::move(usage);
  impl_->about = std::move(about);
}

CommandLine::~CommandLine() = default;

void CommandLine::Flag(const std::string& name, bool* value, const std::string& help) {
  impl_->options.add_options()(name.c_str(), po::bool_switch(value), help.c_str());
}

void CommandLine::Text(const std::string& name, const std::string& placeholder, std::string* value,
                       const std::string& help) {
  impl_->Declare(name, placeholder, *value, help, "text", [value](const std::string& text) {
    *value = text;
    return true;
  });
}

void CommandLine::Texts(const std::string& name, const std::string& placeholder,
                        std::vector<std::string>* values, const std::string& help) {
  const auto option = po::value<std::vector<std::string>>(values)->value_name(placeholder);
  impl_->options.add_options()(name.c_str(), option, help.c_str());
}

void CommandLine::Count(const std::string& name, const std::string& placeholder, uint64_t* value,
                        const std::string& help) {
  impl_->Declare(name, placeholder, *value == 0 ? "" : std::to_string(*value), help,
                 "a whole number, 0 or more",
                 [value](const std::string& text) { return ParseWhole(text, value); });
}

void CommandLine::Number(const std::string& name, const std::string& placeholder, double* value,
                         const std::string& help) {
  impl_->Declare(name, placeholder, *value == 0 ? "" : NumberText(*value), help, "a number",
                 [value](const std::string& text) {
                   return ParseWhole(text, value) && std::isfinite(*value);
                 });
}

void CommandLine::Operands(const std::string& placeholder, std::vector<std::string>* values,
                           size_t least, size_t most) {
  impl_->operand_placeholder = placeholder;
  impl_->operands = values;
  impl_->least = least;
  impl_->most = most;
}

void CommandLine::Example(std::string line) { impl_->examples.push_back(std::move(line)); }

std::optional<int> CommandLine::Parse(const Arguments& args) {
  bool help = false;
  Flag("help,h", &help, "show this text");
  impl_->hidden.add_options()("operands", po::value<std::vector<std::string>>());
  impl_->positional.add("operands", -1);
  po::options_description all;
  all.add(impl_->options).add(impl_->hidden);
  try {
    using Style = po::command_line_style::style_t;
    const int style = Style::default_style & ~Style::allow_guessing;
    po::store(po::command_line_parser(args)
                  .options(all)
                  .positional(impl_->positional)
                  .style(style)
                  .run(),
              impl_->given);
    po::notify(impl_->given);
  } catch (const po::unknown_option& e) {
    const std::string name = e.get_option_name();
    return Refuse("unknown option '" + name + "'" + DidYouMean(name, impl_->Names()));
  } catch (const std::exception& e) {
    return Refuse(e.what());
  }
  if (help) {
    std::fputs(Help().c_str(), stdout);
    return kExitOk;
  }
  const std::string complaint = impl_->TakeAll();
  if (!complaint.empty()) return Refuse(complaint);
  return std::nullopt;
}

bool CommandLine::Given(const std::string& name) const {
  return impl_->given.count(name) != 0 && !impl_->given[name].defaulted();
}

int CommandLine::Refuse(const std::string& complaint) const {
  Report(impl_->command, {ErrorCode::kUsage, complaint});
  std::fprintf(stderr, "Usage: rivulet %s %s\nSee 'rivulet %s --help'.\n", impl_->command.c_str(),
               impl_->usage.c_str(), impl_->command.c_str());
  return kExitUsage;
}

std::string CommandLine::Help() const {
  std::ostringstream text;
  text << "Usage: rivulet " << impl_->command << " " << impl_->usage << "\n\n"
       << impl_->about << "\n\n"
       << impl_->options;
  if (!impl_->examples.empty()) {
    text << (impl_->examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n");
    for (const std::string& line : impl_->examples) text << "  " << line << "\n";
  }
  return text.str();
}

std::string ProgramOptionsVersion() {
  return std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000) +
         "." + std::to_string(BOOST_VERSION % 100);
}

}  // namespace rivulet
