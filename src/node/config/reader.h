// Reading pipeline and node files. Behind both readers yaml_tree.cc alone names yaml-cpp.
// Both readers find as many faults as they can in one pass, so that a person mends a file once.
#pragma once

#include <string>
#include <string_view>

#include "node/config/config_error.h"
#include "node/config/spec.h"

namespace rivulet {

// Parses pipeline YAML. `file` is only for messages and spec.file. True when `*spec` is complete
// and `errors` got nothing. Hostile text gives errors, never more: size (1 MB) and depth are
// bounded, anchors and aliases refused. Expressions are only taken, not compiled.
bool ReadPipeline(std::string_view yaml, const std::string& file, PipelineSpec* spec,
                  ConfigErrors* errors);
bool ReadPipelineFile(const std::string& path, PipelineSpec* spec, ConfigErrors* errors);

// What a secret given as credential:NAME is there for: the daemon needs it; who only looks at the file,
// outside of the service, has none, and then only the name is checked and the secret stays empty.
enum class CredentialUse { kNeeded, kChecked };

// Parses node YAML: every setting has a default, so an empty file is a node. Secrets named by
// `*_file` settings are read here (kSecretNotReadable). Relative paths are taken from the file's
// directory.
bool ReadNode(std::string_view yaml, const std::string& file, NodeSpec* spec, ConfigErrors* errors,
              CredentialUse credentials = CredentialUse::kNeeded);
bool ReadNodeFile(const std::string& path, NodeSpec* spec, ConfigErrors* errors,
                  CredentialUse credentials = CredentialUse::kNeeded);

// The pipeline files that spec.pipelines stands for: files as they are, directories and globs
// expanded to *.yaml, sorted, each once.
bool ListPipelineFiles(const NodeSpec& spec, std::vector<std::string>* files, ConfigErrors* errors);

}  // namespace rivulet
