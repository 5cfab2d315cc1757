#include "app/policies.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "alert/chain_checks.h"
#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "detect/pipeline.h"
#include "respond/check.h"
#include "respond/flow_file.h"
#include "respond/incident_values.h"

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
    auto procedure = take(severity ? load_procedure(*severity)
                                   : Result<std::shared_ptr<const incident::Procedure>>());
    auto grouping = take(load_grouping(rules ? &*rules : nullptr,
                                       procedure && *procedure ? procedure->get() : nullptr));
    auto retention = take(load_retention());
    auto on_call = take(load_on_call());
    auto routes = take(load_routes(std::move(on_call), take(load_escalations())));
    auto playbooks = take(load_playbooks());
    auto effects = take(load_effects());
    auto access = take(load_access());
    auto accesses = take(load_accesses());
    auto grants = take(load_grants(access && *access ? (*access)->loaded().schema.get() : nullptr));
    if (rules && severity) check_facts(*rules, *severity);
    if (routes) check_checkpoint_receivers(*routes);
    if (routes && procedure && *procedure) {
      for (const auto& what : alert::unknown_types(*routes, **procedure)) mistake(what);
    }
    if (routes && severity) {
      for (const auto& what : alert::unreachable(routes->chains(), *severity)) mistake(what);
    }
    if (routes && severity) check_signal_facts(*routes, *severity);
    if (rules && routes && playbooks && procedure && *procedure && effects) {
      resolve(*playbooks, *rules, *routes, **procedure, *effects);
    }
    if (!mistakes_.empty() && rules) {
      for (const detect::Refusal& refusal : rules->refused()) mistake(refusal.sentence());
    }
    if (!mistakes_.empty()) return fail(Code::invalid, std::move(mistakes_));
    std::vector<std::string> warnings = alert::unnamed_chains(*routes);
    return std::make_shared<const Policies>(
        Policies{.rules = *std::move(rules),
                 .decoders = *std::move(decoders),
                 .severity = *std::move(severity),
                 .procedure = *std::move(procedure),
                 .grouping = *std::move(grouping),
                 .retention = *std::move(retention),
                 .routes = *std::move(routes),
                 .playbooks = playbooks_in(*std::move(playbooks)),
                 .effects = *std::move(effects),
                 .access = *std::move(access),
                 .entities = std::move(entities_),
                 .accesses = *std::move(accesses),
                 .watches_people = !config_.people.empty(),
                 .has_directory = has_directory(),
                 .grants = *std::move(grants),
                 .warnings = std::move(warnings),
                 .version = crypto::to_hex(crypto::sha256(texts_))});
  }

  Result<std::vector<privacy::RetentionPolicy>> load_retention() {
    auto texts = read_all<privacy::PolicyText>(config_.policies + "/retention");
    if (!texts) return std::unexpected(texts.error());
    return privacy::parse_retention(*texts);
  }

  // With the facts that it rests on.
  Result<std::shared_ptr<const incident::Procedure>> load_procedure() {
    const auto severity = load_severity();
    if (!severity) return std::unexpected(severity.error());
    return load_procedure(*severity);
  }

  Result<alert::OnCallSchedules> load_on_call() {
    return read_or_none<alert::OnCallSchedules>(
        "/on_call.yaml", [&](const std::string& text, const std::string& file) {
          return alert::OnCallSchedules::parse(text, file, now_);
        });
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

  // An empty T where the policies have no such file.
  template <class T, class Parse>
  Result<T> read_or_none(const std::string& name, Parse parse) {
    const std::string file = config_.policies + name;
    if (!fs::exists(file)) return T();
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    return parse(*text, file);
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

  Result<std::shared_ptr<const incident::Procedure>> load_procedure(
      const incident::SeverityTable& severity) {
    auto procedure = read_or_none<incident::Procedure>(
        "/incidents.yaml", [&](const std::string& text, const std::string& file) {
          return incident::Procedure::parse(text, file, severity);
        });
    if (!procedure) return std::unexpected(procedure.error());
    return std::make_shared<const incident::Procedure>(*std::move(procedure));
  }

  // What could not be loaded is not there, and names of it are not checked.
  Result<std::shared_ptr<const incident::Grouping>> load_grouping(
      const detect::RuleSet* rules, const incident::Procedure* procedure) {
    std::map<std::string, std::string, std::less<>> ids;
    if (rules != nullptr) ids = rule_ids(*rules);
    auto grouping = read_or_none<incident::Grouping>(
        "/grouping.yaml", [&](const std::string& text, const std::string& file) {
          return incident::Grouping::parse(
              text, file, {.procedure = procedure, .rules = rules == nullptr ? nullptr : &ids});
        });
    if (!grouping) return std::unexpected(grouping.error());
    return std::make_shared<const incident::Grouping>(*std::move(grouping));
  }

  // By ids and names.
  static std::map<std::string, std::string, std::less<>> rule_ids(const detect::RuleSet& rules) {
    std::map<std::string, std::string, std::less<>> ids;
    auto known = [&](const detect::Header& header) {
      ids[header.id] = header.id;
      if (!header.name.empty()) ids[header.name] = header.id;
    };
    for (const detect::Rule& rule : rules.rules()) known(rule.header);
    for (const detect::Correlation& correlation : rules.correlations()) known(correlation.header);
    return ids;
  }

  Result<alert::EscalationChains> load_escalations() {
    return read_or_none<alert::EscalationChains>("/escalations.yaml",
                                                 alert::EscalationChains::parse);
  }

  // Without the file nobody is told of anything, which the log says at start.
  Result<alert::Routes> load_routes(std::optional<alert::OnCallSchedules> on_call,
                                    std::optional<alert::EscalationChains> chains) {
    const std::string file = config_.policies + "/routes.yaml";
    if (!fs::exists(file)) {
      std::string lost;
      if (on_call && !on_call->people().empty()) {
        lost = on_call->people().front().where + ": people have receivers, but there is no " + file;
      }
      if (chains && !chains->chains().empty()) {
        lost += (lost.empty() ? "" : "\n") + chains->chains().front().where +
                ": steps have receivers, but there is no " + file;
      }
      if (!lost.empty()) return fail(Code::invalid, std::move(lost));
      return alert::Routes();
    }
    const auto text = read(file);
    if (!text) return std::unexpected(text.error());
    return alert::Routes::parse(*text, file, config_.alerts, std::move(on_call), std::move(chains));
  }

  Result<std::vector<respond::flow::PlaybookFile>> load_playbooks() {
    auto texts = read_all<respond::flow::PlaybookText>(config_.policies + "/playbooks");
    if (!texts) return std::unexpected(texts.error());
    return respond::flow::read_playbooks(*texts);
  }

  Result<respond::EffectSettings> load_effects() {
    return read_or_none<respond::EffectSettings>("/effects.yaml", respond::parse_effects);
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

  void check_signal_facts(const alert::Routes& routes, const incident::SeverityTable& severity) {
    for (const alert::SignalIncident& one : routes.terms().incidents) {
      for (const auto& [fact, worth] : one.facts) {
        const auto read = severity.read_worth(fact, worth);
        if (!read) mistake(one.where + ": " + read.error().what);
      }
    }
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

  using PlaybookFiles = std::vector<respond::flow::PlaybookFile>;

  static std::vector<respond::flow::Playbook> playbooks_in(PlaybookFiles files) {
    std::vector<respond::flow::Playbook> playbooks;
    for (auto& file : files) playbooks.push_back(std::move(file.playbook));
    return playbooks;
  }

  // "p.yaml, line 7: step 'lock': there is no receiver 'x'"
  void tell(const respond::Finding& finding, const PlaybookFiles& files) {
    std::string where = finding.playbook;
    for (const auto& file : files) {
      if (file.playbook.name != finding.playbook) continue;
      where = file.playbook.file;
      const auto line = file.lines.find(finding.step);
      if (line != file.lines.end()) where += ", line " + std::to_string(line->second);
    }
    mistake(where + ": " + (finding.step.empty() ? "" : "step '" + finding.step + "': ") +
            printable(finding.what));
  }

  // Playbooks name rules by name; incidents hold their ids.
  void resolve(PlaybookFiles& files, const detect::RuleSet& rules, const alert::Routes& routes,
               const incident::Procedure& procedure, const respond::EffectSettings& effects) {
    const auto ids = rule_ids(rules);
    using Names = respond::CheckContext::Names;
    respond::CheckContext context{.receivers = Names(),
                                  .schedules = Names(),
                                  .sign_keys = Names(),
                                  .types = Names(),
                                  .rules = Names()};
    for (const incident::IncidentType& type : procedure.types()) context.types->insert(type.name);
    for (const auto& [name, file] : effects.keys) context.sign_keys->insert(name);
    for (const auto& [name, id] : ids) context.rules->insert(name);
    for (const alert::Receiver& receiver : routes.receivers()) {
      context.receivers->insert(receiver.name);
    }
    for (const alert::Schedule& schedule : routes.on_call().schedules()) {
      context.schedules->insert(schedule.name);
    }
    for (const respond::Finding& finding : respond::check(playbooks_in(files), context)) {
      if (finding.weight == respond::Finding::Weight::error) tell(finding, files);
    }
    for (auto& file : files) {
      if (!file.playbook.when) continue;
      std::set<std::string> resolved;
      for (const std::string& rule : file.playbook.when->rules) {
        const auto id = ids.find(rule);
        if (id != ids.end()) resolved.insert(id->second);
      }
      file.playbook.when->rules = std::move(resolved);
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

Result<std::shared_ptr<const incident::Procedure>> load_procedure(const std::string& policies) {
  config::Config config;
  config.policies = policies;
  return Loader(config).load_procedure();
}

Result<alert::OnCallSchedules> load_on_call(const std::string& policies, Timestamp now) {
  config::Config config;
  config.policies = policies;
  return Loader(config, now).load_on_call();
}

}  // namespace mailwarden::app
