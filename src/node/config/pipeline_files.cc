// Which pipeline files a node file stands for.

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "node/config/reader.h"

namespace rivulet {
namespace {

namespace fs = std::filesystem;

// The *.yaml files of a directory, hidden ones left out. False when it cannot be listed.
bool ListDirectory(const std::string& path, std::set<std::string>* files) {
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const fs::path& file = it->path();
    std::error_code ignored;
    if (file.extension() != ".yaml" || file.filename().string().starts_with('.')) continue;
    if (it->is_regular_file(ignored)) files->insert(file.lexically_normal().string());
  }
  return !error;
}

// The files that match a glob; directories that match stand for their files. A glob may match
// nothing. False when a directory on the way cannot be read.
bool ListGlob(const std::string& pattern, std::set<std::string>* files) {
  glob_t found = {};
  const int status = glob(pattern.c_str(), GLOB_NOSORT | GLOB_ERR, nullptr, &found);
  bool good = status == 0 || status == GLOB_NOMATCH;
  for (size_t i = 0; status == 0 && i < found.gl_pathc; ++i) {
    const fs::path path(found.gl_pathv[i]);
    std::error_code error;
    if (fs::is_directory(path, error)) {
      good = ListDirectory(path.string(), files) && good;
    } else {
      files->insert(path.lexically_normal().string());
    }
  }
  globfree(&found);
  return good;
}

}  // namespace

bool ListPipelineFiles(const NodeSpec& spec, std::vector<std::string>* files,
                       ConfigErrors* errors) {
  const size_t before = errors->size();
  std::set<std::string> found;
  for (const std::string& path : spec.pipelines) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    bool good = true;
    if (fs::is_directory(status)) {
      good = ListDirectory(path, &found);
    } else if (fs::exists(status)) {
      found.insert(fs::path(path).lexically_normal().string());
    } else if (path.find_first_of("*?[") != std::string::npos) {
      good = ListGlob(path, &found);
    } else {
      good = false;
    }
    if (good) continue;
    errors->push_back({spec.file, 0, 0, ErrorCode::kFileNotReadable,
                       "'" + path + "' of 'pipelines' is not there or cannot be listed; expected "
                       "a file, a directory or a glob"});
  }
  files->assign(found.begin(), found.end());
  return errors->size() == before;
}

}  // namespace rivulet
