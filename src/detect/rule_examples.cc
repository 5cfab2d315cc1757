#include "detect/rule_examples.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/files.h"
#include "detect/correlator.h"
#include "detect/rule_set.h"
#include "json/yaml.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;

struct SeenExamples {
  bool match = false;
  bool no_match = false;
};

class ExampleRunner {
 public:
  ExampleRunner(const RuleSet& rules, const DecodeLine& decode) : rules_(rules), decode_(decode) {}

  // All rules of one file with the examples beside it.
  Result<void> run_file(const std::string& file, const std::vector<const Header*>& headers) {
    tests_.rules += static_cast<std::int64_t>(headers.size());
    std::filesystem::path path(file);
    path.replace_extension(".test" + path.extension().string());
    if (!std::filesystem::exists(path)) {
      tests_.failures.push_back(file + ": no examples stand beside it (" + path.string() + ")");
      return {};
    }
    const auto text = read_whole_file(path.string());
    if (!text) return std::unexpected(text.error());
    const auto documents = yaml::parse(*text);
    if (!documents) return fail(Code::invalid, path.string() + ", " + documents.error().what);
    std::map<std::string, SeenExamples> seen;
    for (const Node& document : *documents) {
      if (!document.is_sequence()) {
        return fail(Code::invalid, path.string() + ": expected a list of examples");
      }
      for (const Node& example : document.items) {
        if (auto done = run(path.string(), example, headers, seen); !done) return done;
      }
    }
    for (const Header* header : headers) {
      if (!seen[header->id].match) {
        tests_.failures.push_back(file + ": '" + header->title + "' has no example that matches");
      }
      if (!seen[header->id].no_match) {
        tests_.failures.push_back(file + ": '" + header->title +
                                  "' has no example that does not match");
      }
    }
    return {};
  }

  RuleTests take() { return std::move(tests_); }

 private:
  static std::string text(const Node& node, const char* name) {
    const Node* found = node.find(name);
    return found == nullptr ? std::string() : found->scalar;
  }

  Result<void> run(const std::string& file, const Node& example,
                   const std::vector<const Header*>& headers,
                   std::map<std::string, SeenExamples>& seen) {
    const std::string where = file + ", " + example.where() + ": ";
    const std::string expect = text(example, "expect");
    const Node* lines = example.find("lines");
    if ((expect != "match" && expect != "no match") || lines == nullptr || lines->items.empty() ||
        lines->items.size() > lines_max) {
      return fail(Code::invalid,
                  where + "an example needs 'expect: match' or 'no match', and 'lines'");
    }
    const std::string wanted = text(example, "rule");
    const auto header = std::ranges::find_if(headers, [&](const Header* one) {
      return wanted.empty() || one->id == wanted || one->name == wanted;
    });
    if (header == headers.end()) {
      return fail(Code::invalid, where + "there is no rule '" + wanted + "' beside it");
    }
    const Header& rule = wanted.empty() ? *headers.back() : **header;
    const auto matched = detected(*lines, text(example, "decoder"), rule.id);
    if (!matched) return fail(where + "line", matched.error());
    ++tests_.examples;
    (expect == "match" ? seen[rule.id].match : seen[rule.id].no_match) = true;
    if (*matched != (expect == "match")) {
      tests_.failures.push_back(where + "'" + text(example, "name") + "' should " +
                                (expect == "match" ? "match '" : "not match '") + rule.title + "'");
    }
    return {};
  }

  Result<bool> detected(const Node& lines, const std::string& decoder, const std::string& id) {
    Correlator correlator(rules_);
    bool found = false;
    std::int64_t position = 0;
    for (const Node& line : lines.items) {
      const auto event = decode_({.text = line.scalar,
                                  .decoder = decoder.empty() ? "auto" : decoder,
                                  .position = position++});
      if (!event) return std::unexpected(event.error());
      for (const Detection& base : rules_.match(*event, scratch_)) {
        found = found || base.rule_id == id;
        for (const Detection& fired : correlator.advance(base)) {
          found = found || fired.rule_id == id;
        }
      }
    }
    return found;
  }

  const RuleSet& rules_;
  const DecodeLine& decode_;
  MatchScratch scratch_;
  RuleTests tests_;
};

}  // namespace

Result<RuleTests> test_rules(const std::vector<std::string>& folders, const DecodeLine& decode) {
  auto texts = load_rules(folders);
  if (!texts) return std::unexpected(texts.error());
  const auto rules = RuleSet::make(*std::move(texts));
  if (!rules) return std::unexpected(rules.error());
  if (!rules->refused().empty()) {
    std::string all;
    for (const Refusal& one : rules->refused()) all += (all.empty() ? "" : "\n") + one.sentence();
    return fail(Code::invalid, std::move(all));
  }
  std::map<std::string, std::vector<const Header*>> by_file;
  for (const Rule& rule : rules->rules()) by_file[rule.header.file].push_back(&rule.header);
  for (const Correlation& one : rules->correlations()) {
    by_file[one.header.file].push_back(&one.header);
  }
  ExampleRunner runner(*rules, decode);
  for (const auto& [file, headers] : by_file) {
    if (auto done = runner.run_file(file, headers); !done) return std::unexpected(done.error());
  }
  return runner.take();
}

}  // namespace mailwarden::detect
