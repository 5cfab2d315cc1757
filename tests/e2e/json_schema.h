// A JSON schema, applied by a validator that others wrote (Debian's python3-jsonschema).
#pragma once

#include <string>
#include <vector>

#include "json/value.h"
#include "tests/process.h"

namespace mailwarden {

class JsonSchema {
 public:
  // `name` below the folder of outside test data.
  explicit JsonSchema(const char* name)
      : text_(read_file(corpus_folder() + "/schemas/" + std::string(name))) {}
  explicit JsonSchema(const json::Value& schema) : text_(json::to_text(schema)) {}

  // What is wrong with these, a line each with its place, "" where nothing is.
  std::string complaints(const std::vector<json::Value>& instances) const {
    const TemporaryFolder folder;
    // -I: nothing from the user's own folders stands in for Debian's.
    std::vector<std::string> arguments{"/usr/bin/python3",
                                       "-I",
                                       "-m",
                                       "jsonschema",
                                       "--error-format",
                                       "{error.json_path}: {error.message}\n"};
    for (std::size_t i = 0; i < instances.size(); ++i) {
      const std::string path = folder.path(std::to_string(i));
      write_file(path, json::to_text(instances[i]));
      arguments.insert(arguments.end(), {"-i", path});
    }
    write_file(folder.path("schema"), text_);
    arguments.push_back(folder.path("schema"));
    Process validator(std::move(arguments), folder.path("output"));
    const int code = validator.wait();
    const std::string said = read_file(folder.path("output"));
    return code != 0 && said.empty() ? "the validator cannot be run" : said;
  }

 private:
  std::string text_;
};

}  // namespace mailwarden
