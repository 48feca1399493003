// Shared by the tests of the configuration readers.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "node/config/reader.h"

namespace rivulet::config_test {

struct PipelineRead {
  bool ok = false;
  PipelineSpec spec;
  ConfigErrors errors;
};
inline PipelineRead Pipeline(std::string_view yaml) {
  PipelineRead read;
  read.ok = ReadPipeline(yaml, "p.yaml", &read.spec, &read.errors);
  CHECK(read.ok == read.errors.empty());
  return read;
}

struct NodeRead {
  bool ok = false;
  NodeSpec spec;
  ConfigErrors errors;
};
inline NodeRead Node(std::string_view yaml, const std::string& file = "/etc/rivulet/node.yaml") {
  NodeRead read;
  read.ok = ReadNode(yaml, file, &read.spec, &read.errors);
  CHECK(read.ok == read.errors.empty());
  return read;
}

inline std::string AllErrors(const ConfigErrors& errors) {
  std::string out;
  for (const ConfigError& error : errors) out += error.ToString() + "\n";
  return out;
}

inline bool Has(const ConfigErrors& errors, ErrorCode code, int line, int column,
                std::string_view part = "") {
  for (const ConfigError& error : errors) {
    if (error.code == code && error.line == line && error.column == column &&
        error.message.find(part) != std::string::npos) {
      return true;
    }
  }
  return false;
}

// The repository's config/ folder.
inline std::filesystem::path ConfigFolder() { return RIVULET_CONFIG_FOLDER; }

inline std::string FileText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// A folder of this process that is removed with its contents.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "rivulet-config-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string Write(const std::string& name, std::string_view text) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file.string();
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace rivulet::config_test
