// `rivulet validate`: finds every fault of pipeline and node files before anything runs.
#include <sys/stat.h>

#include <cstdio>
#include <map>

#include "node/commands/cli.h"
#include "node/config/reader.h"
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

}  // namespace

int ValidateCommand(const Arguments& args) {
  std::vector<std::string> arguments;
  std::string node_file;
  bool quiet = false;
  CommandLine line("validate", "[--config NODE.yaml] [PIPELINE.yaml|FOLDER ...]",
                   "Checks pipeline files, and with --config a node file with the pipelines it names. Every "
                   "fault is reported as file:line:column with its number, what was expected and the nearest "
                   "valid name. Exit code 0: all good; 3: at least one fault.");
  line.Operands("PIPELINE.yaml|FOLDER", &arguments, 0, 10000);
  line.Text("config,c", "NODE.yaml", &node_file, "also check a node file");
  line.Flag("quiet,q", &quiet, "report faults only");
  line.Example("rivulet validate config/pipelines");
  if (const std::optional<int> exit = line.Parse(args)) return *exit;
  if (arguments.empty() && node_file.empty()) return line.Refuse("nothing to validate");

  ConfigErrors errors;
  std::vector<std::string> files;
  ListFiles(arguments, &files, &errors);
  if (!node_file.empty()) {
    NodeSpec node;
    if (ReadNodeFile(node_file, &node, &errors)) {
      if (!quiet) std::printf("%s: ok\n", node_file.c_str());
      ListPipelineFiles(node, &files, &errors);
    }
  }
  std::map<std::string, std::string> seen;  // pipeline name -> file
  for (const std::string& file : files) {
    const size_t before = errors.size();
    PipelineSpec spec;
    std::unique_ptr<PipelinePlan> plan;
    if (ReadPipelineFile(file, &spec, &errors)) plan = PlanPipeline(spec, {}, &errors);
    if (plan == nullptr) continue;
    CheckTableFiles(*plan, &errors);
    const auto [it, fresh] = seen.emplace(plan->name, file);
    if (!fresh && it->second != file) {
      errors.push_back({file, spec.name.mark.line, spec.name.mark.column,
                        ErrorCode::kDuplicatePipeline,
                        "'" + plan->name + "' is also declared in " + it->second});
    }
    if (errors.size() == before && !quiet) std::printf("%s: ok\n", file.c_str());
  }
  for (const ConfigError& e : errors) std::fprintf(stderr, "%s\n", e.ToString().c_str());
  return errors.empty() ? kExitOk : kExitConfig;
}

}  // namespace rivulet
