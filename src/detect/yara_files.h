// The files of YARA rules, read and not yet compiled.
//
// What     Every .yar and .yara below the folders, sorted, and single files as they are named.
// Owns     The texts.
// Threads  Pure but for reading files.
// Errors   not_found, denied or io for a folder or a named file that cannot be read; full beyond
//          files_max. What stands in a folder and cannot be read, is too large or a symbolic link
//          is told in `refused`.
// Limits   YaraRulesOptions.
#pragma once

#include <string>
#include <vector>

#include "detect/yara.h"
#include "detect/yara_text.h"

namespace mailwarden::detect {

struct YaraSource {
  std::string path;
  std::string name;  // of its namespace: the path from the folder, which no other file has
  std::string text;
  std::vector<RulePlace> places;
};

Result<std::vector<YaraSource>> read_yara_files(const std::vector<std::string>& paths,
                                                const YaraRulesOptions& options,
                                                std::vector<YaraNote>& refused);

}  // namespace mailwarden::detect
