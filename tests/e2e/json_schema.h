// A published JSON schema, applied by a validator that others wrote (Debian's python3-jsonschema).
#pragma once

#include <string>
#include <vector>

#include "json/value.h"
#include "tests/process.h"

namespace mailwarden {

class JsonSchema {
 public:
  // `name` below the folder of outside test data.
  explicit JsonSchema(const std::string& name) : file_(corpus_folder() + "/schemas/" + name) {}

  // What is wrong with these, "" where nothing is.
  std::string complaints(const std::vector<json::Value>& instances) const {
    const TemporaryFolder folder;
    // -I: nothing from the user's own folders stands in for Debian's.
    std::vector<std::string> arguments{"/usr/bin/python3", "-I", "-m", "jsonschema"};
    for (std::size_t i = 0; i < instances.size(); ++i) {
      const std::string path = folder.path(std::to_string(i));
      write_file(path, json::to_text(instances[i]));
      arguments.insert(arguments.end(), {"-i", path});
    }
    arguments.push_back(file_);
    Process validator(std::move(arguments), folder.path("output"));
    const int code = validator.wait();
    const std::string said = read_file(folder.path("output"));
    return code != 0 && said.empty() ? "the validator cannot be run" : said;
  }

 private:
  std::string file_;
};

}  // namespace mailwarden
