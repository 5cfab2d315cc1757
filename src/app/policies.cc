#include "app/policies.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace mailwarden::app {
namespace {

namespace fs = std::filesystem;

class Loader {
 public:
  explicit Loader(const config::Config& config) : config_(config) {}

  Result<std::shared_ptr<const Policies>> run() {
    auto rules = take(load_rules());
    auto decoders = take(load_decoders());
    auto severity = take(load_severity());
    auto retention = take(load_retention());
    if (rules && severity) check_facts(*rules, *severity);
    if (!mistakes_.empty()) return fail(Code::invalid, std::move(mistakes_));
    return std::make_shared<const Policies>(
        Policies{.rules = *std::move(rules),
                 .decoders = *std::move(decoders),
                 .severity = *std::move(severity),
                 .retention = *std::move(retention),
                 .version = crypto::to_hex(crypto::sha256(texts_))});
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
    if (text) count(path, *text);
    return text;
  }

  Result<detect::RuleSet> load_rules() {
    for (const std::string& folder : config_.rules) {
      for (const std::string& file : files(folder)) {
        if (const auto text = read_whole_file(file, file_bytes_max)) count(file, *text);
      }
    }
    auto texts = detect::load_rules(config_.rules);
    if (!texts) return std::unexpected(texts.error());
    return detect::RuleSet::make(*std::move(texts));
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

  Result<std::vector<privacy::RetentionPolicy>> load_retention() {
    std::vector<privacy::PolicyText> texts;
    std::string wrong;
    for (const std::string& file : files(config_.policies + "/retention")) {
      auto text = read(file);
      if (text) {
        texts.push_back({file, *std::move(text)});
      } else {
        wrong += (wrong.empty() ? "" : "\n") + text.error().what;
      }
    }
    if (!wrong.empty()) return fail(Code::invalid, std::move(wrong));
    return privacy::parse_retention(texts);
  }

  static std::vector<std::string> files(const std::string& folder) {
    std::vector<std::string> found;
    std::error_code failed;
    fs::recursive_directory_iterator entry(folder, failed);
    for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
      const auto extension = entry->path().extension();
      const bool yaml = extension == ".yml" || extension == ".yaml";
      if (yaml && !entry->path().string().contains(".test.")) {
        found.push_back(entry->path().string());
      }
    }
    std::ranges::sort(found);
    return found;
  }

  // A rule's fact that the severity table does not know would be lost without a word.
  void check_facts(const detect::RuleSet& rules, const incident::SeverityTable& severity) {
    auto check = [&](const detect::Header& header) {
      for (const auto& [fact, worth] : header.facts) {
        if (severity.facts().contains(fact)) continue;
        mistake(header.file + ", line " + std::to_string(header.line) + ": the fact '" + fact +
                "' is not declared in " + config_.policies + "/severity.yaml");
      }
    };
    for (const detect::Rule& rule : rules.rules()) check(rule.header);
    for (const detect::Correlation& correlation : rules.correlations()) check(correlation.header);
  }

  const config::Config& config_;
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

Result<std::shared_ptr<const Policies>> load_policies(const config::Config& config) {
  return Loader(config).run();
}

}  // namespace mailwarden::app
