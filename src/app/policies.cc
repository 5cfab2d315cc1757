#include "app/policies.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "detect/pipeline.h"

namespace mailwarden::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t entities_bytes_max = std::size_t{256} * 1024 * 1024;

class Loader {
 public:
  explicit Loader(const config::Config& config, Timestamp now = {}) : config_(config), now_(now) {}

  Result<std::shared_ptr<const Policies>> run() {
    auto rules = take(load_rules());
    auto decoders = take(load_decoders());
    auto severity = take(load_severity());
    auto retention = take(load_retention());
    auto on_call = take(load_on_call());
    auto routes = take(load_routes(std::move(on_call)));
    auto playbooks = take(load_playbooks());
    auto access = take(load_access());
    auto accesses = take(load_accesses());
    auto grants = take(load_grants(access && *access ? (*access)->loaded().schema.get() : nullptr));
    if (rules && severity) check_facts(*rules, *severity);
    if (routes) check_checkpoint_receivers(*routes);
    if (rules && routes && playbooks) resolve(*playbooks, *rules, *routes);
    if (!mistakes_.empty() && rules) {
      for (const detect::Refusal& refusal : rules->refused()) mistake(refusal.sentence());
    }
    if (!mistakes_.empty()) return fail(Code::invalid, std::move(mistakes_));
    return std::make_shared<const Policies>(
        Policies{.rules = *std::move(rules),
                 .decoders = *std::move(decoders),
                 .severity = *std::move(severity),
                 .retention = *std::move(retention),
                 .routes = *std::move(routes),
                 .playbooks = *std::move(playbooks),
                 .access = *std::move(access),
                 .entities = std::move(entities_),
                 .accesses = *std::move(accesses),
                 .watches_people = !config_.people.empty(),
                 .has_directory = has_directory(),
                 .grants = *std::move(grants),
                 .version = crypto::to_hex(crypto::sha256(texts_))});
  }

  Result<std::vector<privacy::RetentionPolicy>> load_retention() {
    auto texts = read_all<privacy::PolicyText>(config_.policies + "/retention");
    if (!texts) return std::unexpected(texts.error());
    return privacy::parse_retention(*texts);
  }

  // None where the file is not there.
  Result<alert::OnCallSchedules> load_on_call() {
    const std::string file = config_.policies + "/on_call.yaml";
    if (!fs::exists(file)) return alert::OnCallSchedules();
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    return alert::OnCallSchedules::parse(*text, file, now_);
  }

 private:
  void mistake(const std::string& what) { mistakes_ += (mistakes_.empty() ? "" : "\n") + what; }

  template <class T>
  std::optional<T> take(Result<T> loaded) {
    if (loaded) return *std::move(loaded);
    mistake(loaded.error().what);
    return std::nullopt;
  }

  // Every text that decides anything counts into the version, with its length so that no two sets
  // of texts run together to the same bytes.
  void count(const std::string& name, const std::string& text) {
    texts_ += name + "\n" + std::to_string(text.size()) + "\n" + text;
  }

  Result<std::string> read(const std::string& path) {
    auto text = read_whole_file(path, file_bytes_max);
    if (text) count(below(config_.policies, path), *text);
    return text;
  }

  // Names count without the folder that holds them all, so that a copy elsewhere has the same
  // version.
  static std::string below(const std::string& folder, const std::string& path) {
    return fs::path(path).lexically_relative(folder).string();
  }

  Result<detect::Pipelines> load_pipelines() {
    std::vector<detect::PipelineText> texts;
    for (const std::string& file : config_.pipelines) {
      auto text = read_whole_file(file, file_bytes_max);
      if (!text) return std::unexpected(text.error());
      count("pipeline " + fs::path(file).filename().string(), *text);
      texts.push_back({file, *std::move(text)});
    }
    return detect::Pipelines::parse(texts);
  }

  Result<detect::RuleSet> load_rules() {
    const auto pipelines = load_pipelines();
    if (!pipelines) return std::unexpected(pipelines.error());
    for (const std::string& folder : config_.rules) {
      for (const std::string& file : files(folder)) {
        if (const auto text = read_whole_file(file, file_bytes_max)) {
          count(below(folder, file), *text);
        }
      }
    }
    auto texts = detect::load_rules(config_.rules);
    if (!texts) return std::unexpected(texts.error());
    pipelines->apply(*texts);
    return detect::RuleSet::make(*std::move(texts), {.placeholders = pipelines->placeholders()});
  }

  Result<ingest::DecoderSet> load_decoders() {
    std::map<std::string, ingest::DecodeOptions, std::less<>> options;
    std::string wrong;
    for (const config::SourceConfig& source : config_.sources) {
      auto own = decode_options(source);
      if (own) {
        options.emplace(source.name, *std::move(own));
      } else {
        wrong +=
            (wrong.empty() ? "" : "\n") + ("source '" + source.name + "': ") + own.error().what;
      }
      count(source.name, source.decoder + "," + source.zone + "," + source.year);
    }
    if (!wrong.empty()) return fail(Code::invalid, std::move(wrong));
    return ingest::DecoderSet::make(options);
  }

  Result<incident::SeverityTable> load_severity() {
    const std::string file = config_.policies + "/severity.yaml";
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    return incident::SeverityTable::parse(*text, file);
  }

  // Without the file nobody is told of anything, which the log says at start.
  Result<alert::Routes> load_routes(std::optional<alert::OnCallSchedules> on_call) {
    const std::string file = config_.policies + "/routes.yaml";
    if (!fs::exists(file)) {
      if (!on_call || on_call->people().empty()) return alert::Routes();
      return fail(Code::invalid, on_call->people().front().where +
                                     ": people have receivers, but there is no " + file);
    }
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    return alert::Routes::parse(*text, file, config_.alerts, std::move(on_call));
  }

  Result<std::vector<respond::Playbook>> load_playbooks() {
    auto texts = read_all<respond::PlaybookText>(config_.policies + "/playbooks");
    if (!texts) return std::unexpected(texts.error());
    return respond::parse_playbooks(*texts);
  }

  // Entities of all files are one store.
  Result<std::shared_ptr<const policy::DecisionPoint>> load_access() {
    const std::string folder = config_.policies + "/access";
    if (!fs::exists(folder)) return nullptr;
    auto loaded = policy::load_policies({.paths = {folder}, .needs_schema = true});
    if (!loaded) return std::unexpected(loaded.error());
    count("access", loaded->hash);
    const policy::Schema& schema = *loaded->schema;
    if (!config_.people.empty()) {
      if (auto fits = access::fits_people(schema, {}); !fits) return fail(folder, fits.error());
    }
    for (const std::string& file : config_.entities) {
      auto text = read_whole_file(file, entities_bytes_max);
      if (!text) return std::unexpected(text.error());
      count("entities " + fs::path(file).filename().string(), *text);
      entities_.push_back({file, *std::move(text)});
    }
    auto known = access::known_entities(entities_, {}, {}, schema, Timestamp::earliest);
    if (!known) return std::unexpected(known.error());
    return std::make_shared<const policy::DecisionPoint>(*std::move(loaded), known->entities);
  }

  Result<access::Accesses> load_accesses() {
    const std::string folder = config_.policies + "/access/accesses";
    if (!fs::exists(folder)) return access::Accesses();
    for (const std::string& file : files(folder)) {
      if (auto text = read(file); !text) return std::unexpected(text.error());
    }
    auto texts = detect::load_rules({folder});
    if (!texts) return std::unexpected(texts.error());
    return access::Accesses::make(*std::move(texts));
  }

  Result<std::optional<access::GrantRules>> load_grants(const policy::Schema* schema) {
    const std::string file = config_.policies + "/access/grants.yaml";
    if (schema == nullptr || !fs::exists(file)) return std::optional<access::GrantRules>();
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    auto rules = access::parse_grant_rules(*text, file, schema);
    if (!rules) return std::unexpected(rules.error());
    return std::optional(*std::move(rules));
  }

  bool has_directory() const {
    return std::ranges::any_of(config_.people, [](const identity::PeopleSourceOptions& source) {
      return source.teller == identity::Teller::google;
    });
  }

  template <class Text>
  Result<std::vector<Text>> read_all(const std::string& folder) {
    std::vector<Text> texts;
    std::string wrong;
    for (const std::string& file : files(folder)) {
      auto text = read(file);
      if (text) {
        texts.push_back({file, *std::move(text)});
      } else {
        wrong += (wrong.empty() ? "" : "\n") + text.error().what;
      }
    }
    if (!wrong.empty()) return fail(Code::invalid, std::move(wrong));
    return texts;
  }

  // None where the folder is not there.
  static std::vector<std::string> files(const std::string& folder) {
    return files_below(folder,
                       [](const std::string& name) {
                         return (name.ends_with(".yml") || name.ends_with(".yaml")) &&
                                !name.contains(".test.");
                       })
        .value_or(std::vector<std::string>());
  }

  // A rule's fact that the severity table does not know would be lost without a word. What a rule
  // of detection says of accesses would be, too.
  void check_facts(const detect::RuleSet& rules, const incident::SeverityTable& severity) {
    auto check = [&](const detect::Header& header) {
      for (const auto& [fact, worth] : header.facts) {
        if (severity.facts().contains(fact)) continue;
        mistake(header.file + ", line " + std::to_string(header.line) + ": the fact '" + fact +
                "' is not declared in " + config_.policies + "/severity.yaml");
      }
    };
    for (const detect::Rule& rule : rules.rules()) {
      check(rule.header);
      if (!rule.header.access) continue;
      mistake(rule.header.file + ", line " + std::to_string(rule.header.line) +
              ": rules with 'access' belong into " + config_.policies + "/access/accesses");
    }
    for (const detect::Correlation& correlation : rules.correlations()) check(correlation.header);
  }

  void check_checkpoint_receivers(const alert::Routes& routes) {
    for (const config::CheckpointReceiver& receiver : config_.checkpoint_receivers) {
      const alert::Receiver* const found = routes.find(receiver.name);
      const std::string named = "checkpoint-receiver: ";
      if (found == nullptr) {
        mistake(named + "there is no receiver '" + printable(receiver.name) + "' in " +
                config_.policies + "/routes.yaml");
      } else if (!alert::takes_checkpoints(found->kind)) {
        mistake(named + "'" + found->name + "' is of kind " +
                std::string(alert::to_string(found->kind)) +
                ", which takes no checkpoints; webhook, smtp and folder do");
      }
    }
  }

  // Playbooks name rules by name; incidents hold their ids.
  void resolve(std::vector<respond::Playbook>& playbooks, const detect::RuleSet& rules,
               const alert::Routes& routes) {
    std::map<std::string, std::string, std::less<>> ids;
    auto known = [&](const detect::Header& header) {
      ids[header.id] = header.id;
      if (!header.name.empty()) ids[header.name] = header.id;
    };
    for (const detect::Rule& rule : rules.rules()) known(rule.header);
    for (const detect::Correlation& correlation : rules.correlations()) known(correlation.header);
    for (respond::Playbook& playbook : playbooks) {
      std::set<std::string> resolved;
      for (const std::string& rule : playbook.rules) {
        if (ids.contains(rule)) {
          resolved.insert(ids.find(rule)->second);
        } else {
          mistake(playbook.file + ": there is no rule '" + printable(rule) + "'");
        }
      }
      playbook.rules = std::move(resolved);
      for (const respond::Step& step : playbook.steps) {
        for (const std::string& receiver : step.to) {
          if (routes.find(receiver) != nullptr) continue;
          mistake(playbook.file + ", step '" + step.id + "': there is no receiver '" +
                  printable(receiver) + "' in " + config_.policies + "/routes.yaml");
        }
      }
    }
  }

  const config::Config& config_;
  Timestamp now_;
  std::vector<access::EntityText> entities_;
  std::string texts_;
  std::string mistakes_;
};

}  // namespace

Result<ingest::DecodeOptions> decode_options(const config::SourceConfig& source) {
  ingest::DecodeOptions options{.decoder = source.decoder, .zone = source.zone};
  if (source.year != "arrival") options.year.fixed = static_cast<int>(*to_integer(source.year));
  if (source.mapping.empty()) return options;
  const auto text = read_whole_file(source.mapping, file_bytes_max);
  if (!text) return std::unexpected(text.error());
  auto mapping = ingest::parse_json_mapping(*text, source.mapping);
  if (!mapping) return std::unexpected(mapping.error());
  options.mapping = *std::move(mapping);
  return options;
}

Result<std::shared_ptr<const Policies>> load_policies(const config::Config& config, Timestamp now) {
  return Loader(config, now).run();
}

// Where a file is no YAML any more, no id tells which of its rules are gone.
std::string rules_lost(const Policies& before, const Policies& after) {
  std::map<std::string, std::string, std::less<>> files;  // by the ids that were in force
  auto had = [&](const detect::Header& header) { files.emplace(header.id, header.file); };
  for (const detect::Rule& rule : before.rules.rules()) had(rule.header);
  for (const detect::Correlation& one : before.rules.correlations()) had(one.header);
  for (const detect::Rule& rule : after.rules.rules()) files.erase(rule.header.id);
  for (const detect::Correlation& one : after.rules.correlations()) files.erase(one.header.id);
  std::set<std::string, std::less<>> of_lost;
  for (const auto& [id, file] : files) of_lost.insert(file);
  std::string sentences;
  for (const detect::Refusal& refusal : after.rules.refused()) {
    if (!of_lost.contains(refusal.file)) continue;
    sentences += (sentences.empty() ? "" : "\n") + refusal.sentence();
  }
  return sentences;
}

Result<std::vector<privacy::RetentionPolicy>> load_retention(const std::string& policies) {
  config::Config config;
  config.policies = policies;
  return Loader(config).load_retention();
}

Result<alert::OnCallSchedules> load_on_call(const std::string& policies, Timestamp now) {
  config::Config config;
  config.policies = policies;
  return Loader(config, now).load_on_call();
}

}  // namespace mailwarden::app
