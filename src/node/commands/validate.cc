// `rivulet validate`: finds every fault of pipeline and node files before anything runs.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <tuple>

#include "node/commands/cli.h"
#include "node/config/reader.h"
#include "node/config/sink_paths.h"
#include "node/plan/chains.h"
#include "node/plan/pipeline_plan.h"
#include "node/tables/check_tables.h"

namespace rivulet {
namespace {

bool IsDirectory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// The pipeline files that the arguments stand for: files as they are, folders as their *.yaml.
bool ListFiles(const std::vector<std::string>& arguments, std::vector<std::string>* files,
               ConfigErrors* errors) {
  for (const std::string& argument : arguments) {
    if (!IsDirectory(argument)) {
      files->push_back(argument);
      continue;
    }
    NodeSpec folder;
    folder.file = argument;
    folder.pipelines = {argument};
    if (!ListPipelineFiles(folder, files, errors)) return false;
  }
  return true;
}

// Of a file that cannot be read as a whole, what is wrong with its expressions all the same. Not what might
// follow from what could not be read, such as a name that is not known, or a step that is missing.
void CheckExpressions(const PipelineSpec& spec, ConfigErrors* errors) {
  constexpr ErrorCode kOfThemselves[] = {
      ErrorCode::kExpressionSyntax,  ErrorCode::kUnknownFunction,  ErrorCode::kWrongArgumentCount,
      ErrorCode::kWrongArgumentType, ErrorCode::kUnknownAggregate, ErrorCode::kExpressionTooDeep,
      ErrorCode::kBadArgument};
  ConfigErrors found;
  PlanPipeline(spec, {}, &found);
  for (const ConfigError& e : found) {
    const bool own = std::find(std::begin(kOfThemselves), std::end(kOfThemselves), e.code) !=
                     std::end(kOfThemselves);
    const bool told = std::any_of(errors->begin(), errors->end(), [&e](const ConfigError& other) {
      return other.file == e.file && other.line == e.line && other.column == e.column;
    });
    if (own && !told && e.line > 0) errors->push_back(e);
  }
  const auto of_file = std::find_if(errors->begin(), errors->end(),
                                    [&spec](const ConfigError& e) { return e.file == spec.file; });
  std::stable_sort(of_file, errors->end(), [](const ConfigError& a, const ConfigError& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
}

ConfigErrors CheckTogether(const std::vector<PipelineSpec>& specs, bool all) {
  std::vector<const PipelineSpec*> pipelines;
  for (const PipelineSpec& spec : specs) pipelines.push_back(&spec);
  ConfigErrors errors;
  CheckChains(pipelines, all, &errors);
  return errors;
}

}  // namespace

int ValidateCommand(const Arguments& args) {
  std::vector<std::string> arguments;
  std::string node_file;
  bool quiet = false;
  CommandLine line("validate", "[--config NODE.yaml] [PIPELINE.yaml|FOLDER ...]",
                   "Checks pipeline files, and with --config a node file with the pipelines it names. Every "
                   "fault is reported as file:line:column with its number, what was expected and the nearest "
                   "valid name. Files given together must also fit together: who reads whose results. Exit "
                   "code 0: all good, also with warnings; 3: at least one fault.");
  line.Operands("PIPELINE.yaml|FOLDER", &arguments, 0, 10000);
  line.Text("config,c", "NODE.yaml", &node_file, "also check a node file");
  line.Flag("quiet,q", &quiet, "report faults only");
  line.Example("rivulet validate config/pipelines");
  if (const std::optional<int> exit = line.Parse(args)) return *exit;
  if (arguments.empty() && node_file.empty()) return line.Refuse("nothing to validate");

  ConfigErrors errors;
  std::vector<std::string> files;
  ListFiles(arguments, &files, &errors);
  NodeSpec node;
  if (!node_file.empty()) {
    if (ReadNodeFile(node_file, &node, &errors, CredentialUse::kChecked)) {
      if (!quiet) std::printf("%s: ok\n", node_file.c_str());
      ListPipelineFiles(node, &files, &errors);
    }
  }
  SinkPaths paths(node, files);
  std::map<std::string, std::string> seen;  // pipeline name -> file
  std::vector<PipelineSpec> specs;
  std::vector<std::string> good;
  ConfigErrors warnings;  // of what runs all the same
  for (const std::string& file : files) {
    const size_t before = errors.size();
    PipelineSpec spec;
    std::unique_ptr<PipelinePlan> plan;
    if (ReadPipelineFile(file, &spec, &errors)) {
      plan = PlanPipeline(spec, {}, &errors);
    } else {
      CheckExpressions(spec, &errors);
    }
    if (plan == nullptr) continue;
    CheckTableFiles(*plan, &errors);
    paths.Check(spec, &errors);
    warnings.insert(warnings.end(), plan->warnings.begin(), plan->warnings.end());
    const auto [it, fresh] = seen.emplace(plan->name, file);
    if (!fresh && it->second != file) {
      errors.push_back({file, spec.name.mark.line, spec.name.mark.column,
                        ErrorCode::kDuplicatePipeline,
                        "'" + plan->name + "' is also declared in " + it->second});
    }
    if (errors.size() == before) good.push_back(file);
    if (fresh) specs.push_back(std::move(spec));
  }
  // One file alone may read a pipeline of another, or be read by it.
  const ConfigErrors apart = CheckTogether(specs, files.size() > 1 && specs.size() == files.size());
  for (const std::string& file : good) {
    const bool faulty = std::any_of(apart.begin(), apart.end(),
                                    [&file](const ConfigError& e) { return e.file == file; });
    if (!faulty && !quiet) std::printf("%s: ok\n", file.c_str());
  }
  errors.insert(errors.end(), apart.begin(), apart.end());
  for (const ConfigError& e : errors) std::fprintf(stderr, "%s\n", e.ToString().c_str());
  for (const ConfigError& w : warnings) std::fprintf(stderr, "warning: %s\n", w.ToString().c_str());
  return errors.empty() ? kExitOk : kExitConfig;
}

}  // namespace rivulet
