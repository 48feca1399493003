// CaseFile: one case of tests/cases/**/*.yaml: a pipeline, what goes in, and what must come out or
// be refused.
//
//   name: what it shows
//   pipeline: |          the pipeline file
//   files: { NAME: text } written beside the pipeline file, as for tables
//   input: |             lines as `rivulet replay` reads them; left out: an empty file
//   flush: false         the end of the input closes no windows (default: it does)
//   expected: |          result lines; left out: none
//   late: |              late records; left out: none
//   dead_letters: [4001] the numbers of the reasons, in order; or | the lines as a whole
// error: |             instead of all that: the faults, each "E2002 at 7:12", lines and columns of
// `pipeline`
//   message: text        and what the first fault's message must contain
#pragma once

#include <map>
#include <string>
#include <vector>

namespace rivulet {

struct CaseFile {
  std::string path;
  std::string name;
  std::string pipeline;
  std::map<std::string, std::string> files;
  std::string input;
  bool flush = true;
  std::vector<std::string> expected, late, dead;
  std::vector<int> dead_numbers;
  bool dead_by_number = false;
  std::vector<std::string> errors;
  std::string message;
};

// False with the reason in `*why`.
bool ReadCase(const std::string& path, CaseFile* file, std::string* why);

// Writes what came out into the case's file, in place of what was expected. For a person who then
// reads it.
void UpdateCase(const CaseFile& file, const std::vector<std::string>& results,
                const std::vector<std::string>& late, const std::vector<std::string>& dead,
                const std::vector<std::string>& errors);

std::vector<std::string> SplitLines(const std::string& text);
std::string JoinLines(const std::vector<std::string>& lines);

}  // namespace rivulet
