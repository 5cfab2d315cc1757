#include "tests/conformance/cedar_suite.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "json/value.h"
#include "policy/authorizer.h"
#include "policy/conform.h"
#include "policy/entity_json.h"
#include "policy/validate.h"

namespace mailwarden::cedar_suite {
namespace {

namespace fs = std::filesystem;
using Ids = std::set<std::string>;

std::string joined(const Ids& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
  return "{" + text + "}";
}

Ids ids_of(const json::Value& array) {
  Ids ids;
  for (const json::Value& one : *array.as_array()) ids.insert(*one.as_string());
  return ids;
}

class Test {
 public:
  Test(std::string root, const std::string& path) : root_(std::move(root)) {
    const auto text = read_whole_file(path);
    const auto json = text ? json::parse(*text) : std::unexpected(text.error());
    if (!json) {
      differ(json.error().what);
      return;
    }
    json_ = *json;
    if (!load()) return;
    check_validation();
    for (const json::Value& request : *json_["requests"].as_array()) check(request);
  }

  Outcome take() { return std::move(outcome_); }

 private:
  void differ(const std::string& what) { outcome_.differences.push_back(what); }

  std::string file(std::string_view name) {
    auto text = read_whole_file(root_ + "/" + json_.text(name));
    if (!text) differ(text.error().what);
    return text ? *std::move(text) : std::string();
  }

  bool load() {
    if (auto done = policies_->add_text(file("policies")); !done) {
      differ("policies: " + done.error().what);
    }
    const auto fragment = policy::parse_schema(file("schema"));
    auto schema = fragment ? policy::Schema::resolve(*fragment) : std::unexpected(fragment.error());
    if (!schema) {
      differ("schema: " + schema.error().what);
      return false;
    }
    schema_ = *std::move(schema);
    auto entities = policy::read_entities(file("entities"), &schema_);
    if (!entities) {
      differ("entities: " + entities.error().what);
      return false;
    }
    entities_ = std::make_shared<const policy::Entities>(*std::move(entities));
    return outcome_.differences.empty();
  }

  void check_validation() {
    const auto findings = policy::validate(*policies_, schema_);
    if (findings.passed() == *json_["shouldValidate"].as_bool()) return;
    std::string why;
    for (const policy::Finding& one : findings.errors) why += "; " + one.what;
    differ("validation: " + (findings.passed() ? std::string("passes") : "fails" + why));
  }

  void check(const json::Value& written) {
    ++outcome_.requests;
    policy::Request request;
    const std::pair<std::string_view, policy::EntityUid*> parts[] = {
        {"principal", &request.principal},
        {"action", &request.action},
        {"resource", &request.resource}};
    const std::string name = written.text("description");
    for (const auto& [part, into] : parts) {
      auto uid = policy::read_uid(written[part]);
      if (!uid) return differ(name + ": " + uid.error().what);
      *into = *std::move(uid);
    }
    const auto context =
        policy::read_context(written["context"], *request.memory, &schema_, request.action);
    if (!context) return differ(name + ": " + context.error().what);
    request.context = *context;
    const bool* const wants = written["validateRequest"].as_bool();
    if (wants == nullptr || *wants) {
      if (auto done = policy::conforms(request, schema_); !done) {
        return differ(name + ": " + done.error().what);
      }
    }
    compare(name, written, policy::authorize(*policies_, *entities_, request), "");
    const policy::Authorizer plain(policies_, entities_, {.use_index = false});
    policy::Authorizer::Scratch scratch;
    policy::Answer answer;
    plain.authorize(request, scratch, answer);
    compare(name, written, answer, " without index");
  }

  void compare(const std::string& name, const json::Value& written, const policy::Answer& answer,
               const std::string& how) {
    const std::string decision = answer.is_allowed ? "allow" : "deny";
    Ids reasons;
    for (const auto at : answer.reasons) reasons.insert(policies_->policies()[at].id);
    Ids errors;
    for (const auto& one : answer.errors) errors.insert(policies_->policies()[one.policy].id);
    if (decision != written.text("decision")) differ(name + how + ": decision " + decision);
    if (reasons != ids_of(written["reason"])) differ(name + how + ": reasons " + joined(reasons));
    if (errors != ids_of(written["errors"])) differ(name + how + ": errors " + joined(errors));
  }

  std::string root_;
  json::Value json_;
  std::shared_ptr<policy::PolicySet> policies_ = std::make_shared<policy::PolicySet>();
  std::shared_ptr<const policy::Entities> entities_;
  policy::Schema schema_;
  Outcome outcome_;
};

}  // namespace

std::vector<std::string> tests_of(const std::string& root) {
  std::vector<std::string> paths;
  for (const char* folder : {"corpus-tests", "tests"}) {
    std::error_code none;
    for (const auto& one : fs::recursive_directory_iterator(fs::path(root) / folder, none)) {
      const std::string path = one.path().string();
      if (path.ends_with(".json") && !path.ends_with(".entities.json")) paths.push_back(path);
    }
  }
  std::ranges::sort(paths);
  return paths;
}

Outcome run(const std::string& root, const std::string& test) {
  return Test(root, test).take();
}

}  // namespace mailwarden::cedar_suite
