#include "policy/load_policies.h"

#include <filesystem>

#include "base/files.h"
#include "crypto/sha256.h"
#include "policy/policy_json.h"

namespace mailwarden::policy {
namespace {

bool is_policy_file(std::string_view name) {
  return name.ends_with(".cedar") || name.ends_with(".cedar.json");
}
bool is_schema_file(std::string_view name) {
  return name.ends_with(".cedarschema") || name.ends_with(".cedarschema.json");
}

class Loader {
 public:
  explicit Loader(const LoadOptions& options) : options_(options) {}

  Result<Loaded> run() {
    for (const std::string& path : options_.paths) find(path);
    if (!options_.schema.empty()) schemas_ = {options_.schema};
    for (const std::string& file : files_) read(file);
    const auto schema = read_schemas();
    if (schema != nullptr) validate(*schema);
    if (!mistakes_.empty()) return fail(code_, mistakes_);
    return Loaded{.policies = policies_,
                  .schema = schema,
                  .hash = crypto::to_hex(crypto::sha256(hashed_)),
                  .warnings = std::move(warnings_)};
  }

 private:
  void mistake(const std::string& what) { mistakes_ += (mistakes_.empty() ? "" : "\n") + what; }

  void find(const std::string& path) {
    const auto files = files_below(
        path, [](const std::string& name) { return is_policy_file(name) || is_schema_file(name); });
    if (!files) {
      code_ = files.error().code;
      return mistake(files.error().what);
    }
    for (const std::string& file : *files) {
      (is_schema_file(file) ? schemas_ : files_).push_back(file);
    }
  }

  std::string text_of(const std::string& file) {
    auto text = read_whole_file(file, LoadOptions::file_bytes_max);
    if (!text) {
      mistake(text.error().what);
      return {};
    }
    // With its length, so that no two lists of files have the same hash.
    const std::string name = std::filesystem::path(file).filename().string();
    hashed_ += name + '\n' + std::to_string(text->size()) + '\n' + *text;
    return *std::move(text);
  }

  void read(const std::string& file) {
    const std::string text = text_of(file);
    auto parsed = file.ends_with(".json")
                      ? from_json(text)
                      : parse_policies(text, policies_->expressions(), options_.parse);
    if (!parsed) return mistake(file + ": " + parsed.error().what);
    for (Policy& one : *parsed) {
      const auto id = one.annotation("id");
      if (id && !id->empty()) {
        one.id = std::string(*id);
      } else if (one.made_from.empty()) {
        one.id = options_.parse.id_prefix + std::to_string(count_);
      }
      ++count_;
      const std::size_t line = one.line;
      files_of_[one.id] = file;
      if (auto done = policies_->add(std::move(one)); !done) {
        mistake(file + ", line " + std::to_string(line) + ": " + done.error().what);
      }
    }
  }

  // A single policy, or the static ones and templates of a set.
  Result<std::vector<Policy>> from_json(const std::string& text) {
    const json::ParseOptions limits{.depth_max = options_.parse.nesting_max * 2 + 16,
                                    .bytes_max = LoadOptions::file_bytes_max};
    const auto json = json::parse(text, limits);
    if (!json) return std::unexpected(json.error());
    std::vector<Policy> all;
    const auto add = [&](const json::Value& one) -> Result<void> {
      auto policy = read_policy(one, policies_->expressions(), options_.parse);
      if (!policy) return std::unexpected(policy.error());
      all.push_back(*std::move(policy));
      return {};
    };
    if (!(*json)["effect"].is_null()) {
      if (auto done = add(*json); !done) return std::unexpected(done.error());
      return all;
    }
    const json::Value& links = (*json)["templateLinks"];
    if (!links.is_null() && links != json::Value(json::Array())) {
      return fail(Code::invalid, "links of templates stand in no file of policies");
    }
    for (const char* name : {"staticPolicies", "templates"}) {
      const json::Object* const policies = (*json)[name].as_object();
      if (policies == nullptr) continue;
      for (const auto& [id, one] : *policies) {
        if (auto done = add(one); !done) return fail("policy '" + id + "'", done.error());
      }
    }
    return all;
  }

  std::shared_ptr<const Schema> read_schemas() {
    if (schemas_.empty()) {
      if (options_.needs_schema) mistake("there is no schema (*.cedarschema) with the policies");
      return nullptr;
    }
    if (schemas_.size() > 1) {
      mistake("there are two schemas, " + schemas_[0] + " and " + schemas_[1]);
      return nullptr;
    }
    text_of(schemas_.front());
    auto schema = read_schema(schemas_.front());
    if (!schema) {
      mistake(schema.error().what);
      return nullptr;
    }
    return std::make_shared<const Schema>(*std::move(schema));
  }

  void validate(const Schema& schema) {
    const Findings findings = policy::validate(*policies_, schema, options_.validate);
    const auto sentence = [&](const Finding& one) {
      return files_of_[one.policy] + ", line " + std::to_string(one.line) + ", policy '" +
             one.policy + "': " + one.what;
    };
    for (const Finding& one : findings.errors) mistake(sentence(one));
    for (const Finding& one : findings.warnings) warnings_.push_back(sentence(one));
  }

  const LoadOptions& options_;
  std::shared_ptr<PolicySet> policies_ = std::make_shared<PolicySet>();
  std::vector<std::string> files_;
  std::vector<std::string> schemas_;
  std::map<std::string, std::string> files_of_;
  std::vector<std::string> warnings_;
  std::string hashed_;
  std::string mistakes_;
  Code code_ = Code::invalid;
  std::size_t count_ = 0;
};

}  // namespace

Result<Loaded> load_policies(const LoadOptions& options) {
  return Loader(options).run();
}

Result<Schema> read_schema(const std::string& path) {
  const auto text = read_whole_file(path, LoadOptions::file_bytes_max);
  if (!text) return std::unexpected(text.error());
  const auto fragment = path.ends_with(".json") ? parse_schema_json(*text) : parse_schema(*text);
  if (!fragment) return fail(path, fragment.error());
  auto schema = Schema::resolve(*fragment);
  if (!schema) return fail(path, schema.error());
  return schema;
}

}  // namespace mailwarden::policy
