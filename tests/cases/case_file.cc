#include "tests/cases/case_file.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace rivulet {
namespace {

std::vector<std::string> Lines(const YAML::Node& node) {
  return node ? SplitLines(node.as<std::string>()) : std::vector<std::string>();
}

void Read(const YAML::Node& root, CaseFile* file) {
  static const std::set<std::string> kKnown = {"name",     "pipeline", "input",
                                               "flush",    "expected", "late",
                                               "dead_letters", "error", "message",
                                               "files"};
  for (const auto& entry : root) {
    const auto key = entry.first.as<std::string>();
    if (kKnown.count(key) == 0) throw YAML::Exception(entry.first.Mark(), "unknown: " + key);
  }
  file->name = root["name"].as<std::string>();
  file->pipeline = root["pipeline"].as<std::string>();
  for (const auto& entry : root["files"]) {
    file->files[entry.first.as<std::string>()] = entry.second.as<std::string>();
  }
  if (root["input"]) file->input = root["input"].as<std::string>();
  if (root["flush"]) file->flush = root["flush"].as<bool>();
  file->expected = Lines(root["expected"]);
  file->late = Lines(root["late"]);
  if (root["dead_letters"] && root["dead_letters"].IsSequence()) {
    file->dead_by_number = true;
    file->dead_numbers = root["dead_letters"].as<std::vector<int>>();
  } else {
    file->dead = Lines(root["dead_letters"]);
  }
  file->errors = Lines(root["error"]);
  if (root["message"]) file->message = root["message"].as<std::string>();
}

}  // namespace

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

bool ReadCase(const std::string& path, CaseFile* file, std::string* why) {
  file->path = path;
  try {
    Read(YAML::LoadFile(path), file);
  } catch (const YAML::Exception& e) {
    *why = e.what();
    return false;
  }
  return true;
}

void UpdateCase(const CaseFile& file, const std::vector<std::string>& results,
                const std::vector<std::string>& late, const std::vector<std::string>& dead,
                const std::vector<std::string>& errors) {
  std::map<std::string, const std::vector<std::string>*> blocks = {
      {"expected", &results}, {"late", &late}, {"error", &errors}};
  if (!file.dead_by_number) blocks["dead_letters"] = &dead;
  std::ifstream in(file.path);
  std::string out;
  bool skipping = false;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != ' ') skipping = blocks.count(line.substr(0, line.find(':'))) > 0;
    if (!skipping) out += line + "\n";
  }
  for (const char* name : {"expected", "late", "dead_letters", "error"}) {
    const auto block = blocks.find(name);
    if (block == blocks.end() || block->second->empty()) continue;
    out += std::string(name) + ": |\n";
    for (const std::string& line : *block->second) out += "  " + line + "\n";
  }
  std::ofstream(file.path) << out;
}

}  // namespace rivulet
