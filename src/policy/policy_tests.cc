#include "policy/policy_tests.h"

#include <algorithm>
#include <set>

#include "base/files.h"
#include "json/yaml_reader.h"
#include "policy/entity_json.h"
#include "policy/explain.h"

namespace mailwarden::policy {
namespace {

bool is_test_file(std::string_view name) {
  return name.ends_with(".test.yml");
}

// `base` with the members of `over`; null takes one away.
json::Value merged(const json::Value& base, const json::Value& over) {
  json::Object made = base.as_object() == nullptr ? json::Object() : *base.as_object();
  if (over.as_object() != nullptr) {
    for (const auto& [name, value] : *over.as_object()) {
      if (value.is_null()) {
        made.erase(name);
      } else {
        made[name] = value;
      }
    }
  }
  return made;
}

class Tester {
 public:
  explicit Tester(Loaded loaded) : loaded_(std::move(loaded)) {
    made_.policies = loaded_.policies->policies().size();
  }

  Result<void> run(const std::string& file) {
    const auto text = read_whole_file(file);
    if (!text) return std::unexpected(text.error());
    yaml::Reader reader(file);
    const auto documents = reader.documents(*text);
    for (const yaml::Node& document : documents) {
      if (!reader.is_map(document, "a test of policies", {"entities", "request", "cases"}))
        continue;
      const yaml::Node* const entities = reader.sequence(document, "entities");
      const yaml::Node* const cases = reader.sequence(document, "cases");
      if (entities == nullptr || cases == nullptr) continue;
      entities_ = yaml::to_json(*entities);
      const yaml::Node* const request = document.find("request");
      request_ = request == nullptr ? json::Value() : yaml::to_json(*request);
      for (const yaml::Node& one : cases->items) run_case(reader, one);
    }
    if (!reader.mistakes().empty()) return fail(Code::invalid, reader.all_mistakes());
    return {};
  }

  PolicyTests take() {
    for (const Policy& policy : loaded_.policies->policies()) {
      if (!decided_.contains(policy.id)) {
        made_.failures.push_back("policy '" + policy.id + "': no case is decided by it");
      }
    }
    return std::move(made_);
  }

 private:
  void run_case(yaml::Reader& reader, const yaml::Node& node) {
    if (!reader.is_map(node, "a case",
                       {"name", "principal", "action", "resource", "context", "facts", "expect",
                        "policies", "why", "way"})) {
      return;
    }
    const std::string name = reader.text(node, "name");
    const std::string expect = reader.text(node, "expect");
    if (expect != "allow" && expect != "deny") {
      return reader.mistake(node, "'expect' is allow or deny");
    }
    ++made_.cases;
    const auto fault = [&](const std::string& what) {
      made_.failures.push_back(reader.file() + ", " + node.where() + ", '" + name + "': " + what);
    };
    Request request;
    if (auto done = read_request(yaml::to_json(node), request); !done) {
      return fault(done.error().what);
    }
    auto entities = entities_with(node);
    if (!entities) return fault(entities.error().what);
    const DecisionPoint point(loaded_, std::make_shared<const Entities>(*std::move(entities)));
    Authorizer::Scratch scratch;
    const Decision decision = point.decide(request, scratch);
    for (const std::string& id : decision.policies) decided_.insert(id);
    const Explanation explanation = explain(point, request, decision);
    if (decision.is_allowed != (expect == "allow")) {
      return fault("it is " + std::string(to_string(decision.why)) + reasons_of(decision) +
                   details_of(explanation));
    }
    check_reasons(reader, node, decision, explanation, fault);
  }

  template <class Fault>
  void check_reasons(yaml::Reader& reader, const yaml::Node& node, const Decision& decision,
                     const Explanation& explanation, const Fault& fault) const {
    const std::string why = reader.text(node, "why", "");
    if (!why.empty() && why != to_string(decision.why)) {
      fault("it is " + std::string(to_string(decision.why)) + ", not " + why);
    }
    const auto policies = reader.texts_if_any(node, "policies");
    if (!policies.empty() && std::set(policies.begin(), policies.end()) !=
                                 std::set(decision.policies.begin(), decision.policies.end())) {
      fault("it is decided by" + reasons_of(decision));
    }
    const std::string way = reader.text(node, "way", "");
    if (way.empty()) return;
    const std::string told = json::to_text(json::Value(to_json(explanation))["ways"]);
    if (told.find(way) == std::string::npos) {
      fault("no way to be allowed tells of '" + way + "': " + told);
    }
  }

  static std::string reasons_of(const Decision& decision) {
    std::string text;
    for (const std::string& id : decision.policies) text += " " + id;
    if (!decision.invalid.empty()) text += ": " + decision.invalid;
    for (const auto& one : decision.failed) text += "; " + one.policy + ": " + one.what;
    return text;
  }

  static std::string details_of(const Explanation& explanation) {
    std::string text;
    for (const Way& way : explanation.ways) {
      text += "\n    it would be allowed by '" + way.policy + "' if";
      for (const Change& one : way.changes) text += " " + one.text() + ";";
    }
    return text;
  }

  Result<void> read_request(const json::Value& node, Request& request) const {
    const std::pair<std::string_view, EntityUid*> parts[] = {{"principal", &request.principal},
                                                             {"action", &request.action},
                                                             {"resource", &request.resource}};
    for (const auto& [name, into] : parts) {
      auto uid = parse_entity_uid(node.text(name, request_.text(name)));
      if (!uid) return fail(name, uid.error());
      *into = *std::move(uid);
    }
    const auto context = read_context(merged(request_["context"], node["context"]), *request.memory,
                                      loaded_.schema.get(), request.action);
    if (!context) return std::unexpected(context.error());
    request.context = *context;
    return {};
  }

  Result<Entities> entities_with(const yaml::Node& node) const {
    json::Value all = entities_;
    const yaml::Node* const facts = node.find("facts");
    const json::Value changes = facts == nullptr ? json::Value() : yaml::to_json(*facts);
    if (changes.as_object() != nullptr) {
      for (const auto& [name, attributes] : *changes.as_object()) {
        const auto uid = parse_entity_uid(name);
        if (!uid) return fail("facts", uid.error());
        const auto at = std::ranges::find_if(*all.as_array(), [&](const json::Value& one) {
          const auto own = read_uid(one["uid"]);
          return own && *own == *uid;
        });
        if (at == all.as_array()->end()) {
          return fail(Code::invalid, "facts: there is no " + to_text(*uid));
        }
        (*at->as_object())["attrs"] = merged((*at)["attrs"], attributes);
      }
    }
    return read_entities(json::to_text(all), loaded_.schema.get());
  }

  Loaded loaded_;
  json::Value entities_;
  json::Value request_;
  std::set<std::string> decided_;
  PolicyTests made_;
};

}  // namespace

Result<PolicyTests> test_policies(const LoadOptions& options) {
  auto loaded = load_policies(options);
  if (!loaded) return std::unexpected(loaded.error());
  Tester tester(*std::move(loaded));
  for (const std::string& path : options.paths) {
    const auto files = files_below(path, is_test_file);
    if (!files) return std::unexpected(files.error());
    for (const std::string& file : *files) {
      if (!is_test_file(file)) continue;
      if (auto done = tester.run(file); !done) return std::unexpected(done.error());
    }
  }
  return tester.take();
}

}  // namespace mailwarden::policy
