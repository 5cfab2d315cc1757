// docs/openapi.yaml, and what a daemon answered held against it.
#pragma once

#include <set>

#include "json/yaml.h"
#include "net/http_client.h"
#include "tests/e2e/json_schema.h"

namespace mailwarden {

class OpenApiFile {
 public:
  static std::string path() { return source_folder() + "/docs/openapi.yaml"; }

  OpenApiFile() {
    const auto documents = yaml::parse(read_file(path()));
    EXPECT_TRUE(documents) << documents.error().what;
    if (documents) file_ = yaml::to_json(documents->front());
  }

  const json::Value& schemas() const { return file_["components"]["schemas"]; }

  // "GET /api/v1/status" and so on.
  std::set<std::string> operations() const {
    std::set<std::string> all;
    for (const auto& [path, item] : *file_["paths"].as_object()) {
      for (const char* const method :
           {"get", "put", "post", "delete", "options", "head", "patch", "trace"}) {
        if (item[method].is_null()) continue;
        std::string name = method;
        for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
        all.insert(name + " " + path);
      }
    }
    return all;
  }

  // Null where such an answer is not described.
  json::Value response(const std::string& operation, unsigned status) const {
    const std::size_t blank = operation.find(' ');
    std::string method = operation.substr(0, blank);
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const json::Value& item = file_["paths"][operation.substr(blank + 1)];
    const json::Value& found = item[method]["responses"][std::to_string(status)];
    const std::string reference = found.text("$ref");
    const std::string begin = "#/components/responses/";
    return reference.starts_with(begin)
               ? file_["components"]["responses"][reference.substr(begin.size())]
               : found;
  }

 private:
  json::Value file_;
};

// Answers, each under its operation, status and type.
class Answers {
 public:
  explicit Answers(const OpenApiFile& file) : file_(file) {}

  void add(const std::string& operation, const net::HttpAnswer& answer) {
    statuses_[operation].insert(answer.status);
    const std::string type = answer.content_type.substr(0, answer.content_type.find(';'));
    const std::string name = operation + " " + std::to_string(answer.status) + " " + type;
    const json::Value response = file_.response(operation, answer.status);
    EXPECT_FALSE(response.is_null()) << name << " is not described: " << answer.body;
    if (response["content"].is_null()) {
      EXPECT_EQ(answer.body, "") << name;
      return;
    }
    EXPECT_NE(response["content"].as_object()->count(type), 0U) << name << " is not described";
    const json::Value& schema = response["content"][type]["schema"];
    if (schema.is_null()) return;
    const bool is_json = type == "application/json";
    auto body = is_json ? json::parse(answer.body) : Result<json::Value>(answer.body);
    ASSERT_TRUE(body) << name << ": " << answer.body;
    schemas_[name] = json::Object{{"type", "array"}, {"items", schema}};
    bodies_[name].push_back(*std::move(body));
  }

  const std::map<std::string, std::set<unsigned>>& statuses() const { return statuses_; }
  const std::map<std::string, json::Array>& bodies() const { return bodies_; }

  std::string complaints() const { return complaints(bodies_); }
  // Of other bodies under the same names.
  std::string complaints(const std::map<std::string, json::Array>& bodies) const {
    return JsonSchema(json::Object{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                                   {"type", "object"},
                                   {"additionalProperties", false},
                                   {"properties", schemas_},
                                   {"components", json::Object{{"schemas", file_.schemas()}}}})
        .complaints({json::Object(bodies.begin(), bodies.end())});
  }

 private:
  const OpenApiFile& file_;
  std::map<std::string, std::set<unsigned>> statuses_;
  json::Object schemas_;
  std::map<std::string, json::Array> bodies_;
};

}  // namespace mailwarden
