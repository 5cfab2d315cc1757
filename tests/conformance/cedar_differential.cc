// cedar_differential ORACLE [REQUESTS] [SEED]: random worlds, decided by us and by the reference.
//
// ORACLE is a program that takes JSON lines with policies, schema, entities and requests and gives
// JSON lines of what the reference engine says. Compared are: what is read and what is refused,
// validation, level validation, decisions, reasons, failing policies, values of expressions, and
// policies as JSON in both directions. Prints each difference and the number of requests; exits 1
// where there was one. It is no part of the normal build.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>

#include "base/files.h"
#include "policy/authorizer.h"
#include "policy/conform.h"
#include "policy/entity_json.h"
#include "policy/policy_json.h"
#include "policy/validate.h"
#include "tests/conformance/cedar_worlds.h"
#include "tests/process.h"
#include "tests/temporary.h"

namespace mailwarden::cedar_suite {
namespace {

using Ids = std::set<std::string>;

struct Tally {
  std::size_t requests = 0;
  std::size_t invalid = 0;
  std::size_t allowed = 0;
  std::size_t failing = 0;
  std::size_t expressions = 0;
  std::size_t values = 0;
  std::size_t valid = 0;
  std::size_t refused = 0;
  std::size_t worlds = 0;
  std::size_t different = 0;
};

class Comparison {
 public:
  Comparison(const World& world, const json::Value& theirs, bool as_json, Tally& tally)
      : world_(world), theirs_(theirs), tally_(tally) {
    ++tally_.worlds;
    read_policies(as_json);
    read_schema();
    if (outcome_ == Outcome::stop) return;
    validate();
    for (std::size_t at = 0; at < world.requests.size(); ++at) {
      compare(world.requests[at], theirs["results"].as_array()->at(at));
    }
  }

  const std::vector<std::string>& differences() const { return differences_; }

 private:
  enum class Outcome { go_on, stop };

  void differ(const std::string& what) { differences_.push_back(what); }

  bool same_verdict(const std::string& part, bool ours, const std::string& why) {
    const bool* const theirs = theirs_[part]["ok"].as_bool();
    const bool ok = theirs != nullptr && *theirs;
    if (ok != ours) differ(part + ": we " + (ours ? "read it" : "refuse it: " + why));
    if (!ok || !ours) outcome_ = Outcome::stop;
    return ok && ours;
  }

  void read_policies(bool as_json) {
    PolicySetPointer set = std::make_shared<policy::PolicySet>();
    std::string why;
    auto done = set->add_text(world_.policies);
    if (!done) why = done.error().what;
    for (const json::Value& link : world_.links) {
      if (!why.empty()) break;
      const auto uid = [&](std::string_view name) -> std::optional<policy::EntityUid> {
        if (link[name].is_null()) return std::nullopt;
        return *policy::read_uid(link[name]);
      };
      done = set->link(link.text("template"), link.text("id"), uid("principal"), uid("resource"));
      if (!done) why = done.error().what;
    }
    if (!same_verdict("policies", why.empty(), why)) {
      ++tally_.refused;
      return;
    }
    if (!as_json) read_their_json(*set);
    policies_ = std::move(set);
  }

  // What the reference writes as JSON is what we would, once read.
  void read_their_json(const policy::PolicySet& ours) {
    const json::Value& written = theirs_["json"];
    if (written.is_null() || !written["error"].is_null()) return;
    auto read = policy::read_policy_set(json::to_text(written));
    if (!read) return differ("their JSON is refused: " + read.error().what);
    json_policies_ = std::make_shared<policy::PolicySet>(std::move(*read));
    const auto back = policy::read_policy_set(json::to_text(policy::to_json(ours)));
    if (!back) return differ("our JSON is refused: " + back.error().what);
    if (policy::to_json(*back) != policy::to_json(ours)) differ("our JSON changes when read");
  }

  void read_schema() {
    const auto fragment = policy::parse_schema(world_.schema);
    auto schema = fragment ? policy::Schema::resolve(*fragment) : std::unexpected(fragment.error());
    if (!same_verdict("schema", schema.has_value(), schema ? "" : schema.error().what)) return;
    schema_ = *std::move(schema);
    auto entities = policy::read_entities(json::to_text(world_.entities), &schema_);
    if (!same_verdict("entities", entities.has_value(), entities ? "" : entities.error().what)) {
      return;
    }
    entities_ = std::make_shared<const policy::Entities>(*std::move(entities));
  }

  void validate() {
    using Kind = policy::Finding::Kind;
    const auto findings = policy::validate(*policies_, schema_);
    const bool* const passed = theirs_["validation"]["pass"].as_bool();
    // Where no action applies, newer references warn; the published suite wants an error.
    std::string why;
    for (const auto& one : findings.errors) {
      if (one.kind != Kind::no_action) why += one.policy + ": " + one.what + "; ";
    }
    if (why.empty()) ++tally_.valid;
    if (passed == nullptr || *passed != why.empty()) {
      differ("validation: we say " + (why.empty() ? "valid" : why) + ", they " +
             json::to_text(theirs_["validation"]));
    }
    const auto level = policy::validate(*policies_, schema_, {.level = world_.level});
    std::string level_why;
    for (const auto& one : level.errors) {
      if (one.kind != Kind::no_action) level_why += one.policy + ": " + one.what + "; ";
    }
    const bool* const level_passed = theirs_["levelValidation"]["pass"].as_bool();
    if (level_passed == nullptr || *level_passed != level_why.empty()) {
      differ("level " + std::to_string(world_.level) + ": we say " +
             (level_why.empty() ? "valid" : level_why) + ", they " +
             json::to_text(theirs_["levelValidation"]));
    }
  }

  // What is wrong with the request, "" where nothing is.
  std::string read_request(const json::Value& written, policy::Request& request) {
    request.principal = *policy::read_uid(written["principal"]);
    request.action = *policy::read_uid(written["action"]);
    request.resource = *policy::read_uid(written["resource"]);
    const auto context =
        policy::read_context(written["context"], *request.memory, &schema_, request.action);
    if (!context) return context.error().what;
    request.context = *context;
    const bool* const wants = written["validateRequest"].as_bool();
    if (wants != nullptr && !*wants) return "";
    const auto fits = policy::conforms(request, schema_);
    return fits ? "" : fits.error().what;
  }

  void compare(const json::Value& written, const json::Value& theirs) {
    ++tally_.requests;
    policy::Request request;
    const std::string wrong = read_request(written, request);
    const bool is_invalid = !theirs["invalid"].is_null();
    // The reference holds some of a context against the schema while it reads it; we do all of that
    // when the request is validated, which this one does without.
    const bool* const wants = written["validateRequest"].as_bool();
    if (is_invalid != !wrong.empty() && wants != nullptr) {
      ++tally_.invalid;
      return;
    }
    if (is_invalid != !wrong.empty()) {
      differ("request " + json::to_text(written) + ": we say " + (wrong.empty() ? "valid" : wrong) +
             ", they " + theirs.text("error"));
    }
    if (is_invalid || !wrong.empty()) {
      ++tally_.invalid;
      return;
    }
    decide(*policies_, request, written, theirs, "");
    if (json_policies_ != nullptr) decide(*json_policies_, request, written, theirs, "as JSON ");
    for (std::size_t at = 0; at < written["exprs"].as_array()->size(); ++at) {
      evaluate(*written["exprs"].as_array()->at(at).as_string(), request,
               theirs["exprs"].as_array()->at(at));
    }
  }

  void decide(const policy::PolicySet& policies, const policy::Request& request,
              const json::Value& written, const json::Value& theirs, const std::string& how) {
    const policy::Answer answer = policy::authorize(policies, *entities_, request);
    Ids reasons;
    for (const auto at : answer.reasons) reasons.insert(policies.policies()[at].id);
    Ids errors;
    for (const auto& one : answer.errors) errors.insert(policies.policies()[one.policy].id);
    Ids their_reasons;
    for (const json::Value& one : *theirs["reason"].as_array()) {
      their_reasons.insert(*one.as_string());
    }
    Ids their_errors;
    for (const json::Value& one : *theirs["errors"].as_array()) {
      their_errors.insert(one.text("policy"));
    }
    tally_.allowed += answer.is_allowed ? 1 : 0;
    tally_.failing += errors.empty() ? 0 : 1;
    const bool same = (theirs.text("decision") == "allow") == answer.is_allowed &&
                      reasons == their_reasons && errors == their_errors;
    if (same) return;
    std::string ours = answer.is_allowed ? "allow" : "deny";
    for (const std::string& id : reasons) ours += " " + id;
    for (const std::string& id : errors) ours += " !" + id;
    differ(how + "request " + json::to_text(written) + ": we say " + ours + ", they " +
           json::to_text(theirs));
  }

  void evaluate(const std::string& text, const policy::Request& request,
                const json::Value& theirs) {
    ++tally_.expressions;
    policy::Expressions expressions;
    const auto id = policy::parse_expression(text, expressions);
    if (id.has_value() == !theirs["parseError"].is_null()) {
      return differ("expression " + text + ": we say " + (id ? "fine" : id.error().what) +
                    ", they " + json::to_text(theirs));
    }
    if (!id) return;
    const policy::Linked linked(expressions, *entities_, {});
    policy::EvaluationMemory memory;
    memory.begin(linked);
    const policy::Bound bound(linked, request);
    policy::Evaluator evaluator(linked, bound, memory);
    policy::Value ours;
    const bool failed = !evaluator.evaluate(*id, ours);
    if (failed != theirs["value"].is_null()) {
      return differ(
          "expression " + text + ": we say " +
          (failed ? policy::describe(evaluator.error(), expressions) : policy::to_text(ours)) +
          ", they " + json::to_text(theirs));
    }
    if (failed) return;
    ++tally_.values;
    same_value(text, ours, theirs.text("value"));
  }

  void same_value(const std::string& text, const policy::Value& ours, const std::string& theirs) {
    policy::Expressions expressions;
    const auto id = policy::parse_expression(theirs, expressions);
    if (!id) return differ("their value " + theirs + ": " + id.error().what);
    const policy::Entities none;
    const policy::Linked linked(expressions, none, {});
    policy::EvaluationMemory memory;
    memory.begin(linked);
    const policy::Bound bound;
    policy::Value value;
    policy::Evaluator evaluator(linked, bound, memory);
    if (evaluator.evaluate(*id, value) && policy::equal(value, ours)) return;
    differ("expression " + text + ": we say " + policy::to_text(ours) + ", they " + theirs);
  }

  using PolicySetPointer = std::shared_ptr<policy::PolicySet>;

  const World& world_;
  const json::Value& theirs_;
  Tally& tally_;
  Outcome outcome_ = Outcome::go_on;
  PolicySetPointer policies_;
  PolicySetPointer json_policies_;
  policy::Schema schema_;
  std::shared_ptr<const policy::Entities> entities_;
  std::vector<std::string> differences_;
};

// One line for the oracle; every fourth world as JSON, where it can be read.
std::string line_of(const World& world, bool& as_json) {
  json::Object line{{"id", std::int64_t{0}},      {"schema", world.schema},
                    {"entities", world.entities}, {"level", world.level},
                    {"requests", world.requests}, {"want", json::Array{"json"}}};
  policy::PolicySet set;
  if (as_json && set.add_text(world.policies)) {
    line["policies"] = policy::to_json(set);
  } else {
    as_json = false;
    line["policies"] = world.policies;
  }
  line["links"] = world.links;
  return json::to_text(line) + "\n";
}

void run_round(const std::string& oracle, std::uint64_t seed, std::size_t worlds, Tally& tally) {
  const TemporaryFolder folder;
  const std::string input = folder.path() + "/in";
  const std::string output = folder.path() + "/out";
  std::vector<World> made;
  std::vector<bool> as_json;
  std::ofstream lines(input);
  for (std::size_t at = 0; at < worlds; ++at) {
    made.push_back(make_world(seed + at, 30));
    bool json = (seed + at) % 4 == 0;
    lines << line_of(made.back(), json);
    as_json.push_back(json);
  }
  lines.close();
  if (const int code = Process({oracle}, output, input).wait(); code != 0) {
    std::fprintf(stderr, "the oracle ended with %d\n", code);
    std::exit(1);
  }
  std::ifstream answers(output);
  std::string line;
  for (std::size_t at = 0; at < worlds && std::getline(answers, line); ++at) {
    const auto theirs = json::parse(line);
    if (!theirs) {
      std::fprintf(stderr, "%s\n", theirs.error().what.c_str());
      std::exit(1);
    }
    const Comparison comparison(made[at], *theirs, as_json[at], tally);
    if (comparison.differences().empty()) continue;
    ++tally.different;
    std::printf("seed %llu:\n", static_cast<unsigned long long>(seed + at));
    for (const std::string& one : comparison.differences()) std::printf("  %s\n", one.c_str());
    std::printf("%s%s\n", made[at].schema.c_str(), made[at].policies.c_str());
  }
}

}  // namespace
}  // namespace mailwarden::cedar_suite

int main(int count, char** arguments) {
  using namespace mailwarden::cedar_suite;
  if (count < 2 || count > 4) {
    std::fputs("usage: cedar_differential ORACLE [REQUESTS] [SEED]\n", stderr);
    return 2;
  }
  const std::size_t wanted = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1'000'000;
  std::uint64_t seed = count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1;
  constexpr std::size_t worlds = 200;
  Tally tally;
  while (tally.requests < wanted && tally.different < 20) {
    run_round(arguments[1], seed, worlds, tally);
    seed += worlds;
  }
  std::printf(
      "%zu worlds (%zu refused, %zu valid), %zu requests (%zu invalid, %zu allowed, %zu with "
      "failing "
      "policies), %zu expressions (%zu with a value), %zu worlds differ\n",
      tally.worlds, tally.refused, tally.valid, tally.requests, tally.invalid, tally.allowed,
      tally.failing, tally.expressions, tally.values, tally.different);
  return tally.different == 0 ? 0 : 1;
}
