// How many of the events that others have labelled are answered by our own rules, and by which.
//
//   labels_bench [FOLDER]    rules of FOLDER, rules/sigma unless told
//
// Events come from MAILWARDEN_CORPUS (events/*.ndjson.gz). Each line holds an event, the name of a
// detection that its authors wrote, and whether that detection should be raised by this event.
// Rules that only feed a correlation raise nothing by themselves and count as no answer.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <zlib.h>

#include "base/check.h"
#include "detect/rule_set.h"
#include "ingest/decode/decoder.h"
#include "json/value.h"
#include "json/yaml.h"
#include "tests/temporary.h"

namespace mailwarden {
namespace {

constexpr const char* head = R"(
positive  events that the label should be raised by
negative  events that it should not be raised by
true      positives on which one of our rules is raised
false     negatives on which a rule is raised that is also raised on a positive of the label;
          other rules may well be right about an event that the label does not mean
alien     events of the label that come from no source we read (EKS, AKS, AWS, Zendesk, or without
          the audit entry itself); they count nowhere
rules     ours that are raised on positives, with their level: i l m h c; in brackets those that
          only feed a correlation and raise nothing by themselves

The rules were written with these labels in view: the figures tell what is covered, not how rules
fare on events that nobody has seen.
)";

std::vector<std::string> lines_of_gzip(const std::string& path) {
  std::vector<std::string> lines;
  const gzFile file = ::gzopen(path.c_str(), "rb");
  CHECK(file != nullptr);
  std::string text;
  char buffer[65536];
  for (int got = 0; (got = ::gzread(file, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::gzclose(file);
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != text.npos;
       begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  return lines;
}

// The decoder of the source that an event is from, by what only that source writes; "" for others.
std::string decoder_of(const json::Value& event) {
  const bool okta_type = !event.text("eventType").empty() || !event.text("eventtype").empty();
  if (okta_type && event["outcome"].as_object() != nullptr) return "okta";
  if (okta_type && !event["actor"].text("alternateId").empty()) return "okta";
  for (const char* entry : {"protoPayload", "protopayload"}) {
    if (event[entry].as_object() != nullptr) return "gcp_audit";
  }
  if (!event["id"].text("applicationName").empty()) return "google_workspace";
  if (!event.text("action").empty() && !event.text("actor").empty()) return "github_audit";
  return {};
}

struct Rules {
  detect::RuleSet set;
  std::map<std::string, std::string> names;  // by id
};

Rules load(const std::string& folder) {
  auto texts = detect::load_rules({folder});
  if (!texts) std::fprintf(stderr, "%s\n", texts.error().what.c_str());
  CHECK(texts);
  auto set = detect::RuleSet::make(*std::move(texts));
  CHECK(set);
  Rules rules{.set = *std::move(set), .names = {}};
  for (const detect::Rule& rule : rules.set.rules()) {
    rules.names[rule.header.id] = rule.header.name;
  }
  return rules;
}

// What one event raises: names of rules with their level, and of those that are silent.
struct Raised {
  std::map<std::string, detect::Level> rules;
  std::set<std::string> silent;
};

Raised raised_by(const json::Value& event, const std::string& decoder, const Rules& rules) {
  const auto decoders = ingest::DecoderSet::make({}, {.decoder = decoder});
  CHECK(decoders);
  const RawRecord record{.id = {.stream = 1, .position = 0},
                         .source = "labels",
                         .bytes = json::to_text(event),
                         .received = {1'795'500'000'000'000}};
  Raised raised;
  for (const detect::Detection& detection : rules.set.match(ingest::decode(record, *decoders))) {
    const std::string& name = rules.names.at(detection.rule_id);
    if (detection.silent) {
      raised.silent.insert(name);
    } else {
      raised.rules[name] = detection.level;
    }
  }
  return raised;
}

struct Label {
  std::string source;
  std::string name;
  std::string kind;  // why it is set aside, or ""
  std::vector<Raised> positives;
  std::vector<Raised> negatives;
  int alien = 0;
};

struct Sums {
  int positives = 0;
  int negatives = 0;
  int found = 0;
  int alarming = 0;  // found at a level that opens an incident
  int wrong = 0;

  void add(const Sums& other) {
    positives += other.positives;
    negatives += other.negatives;
    found += other.found;
    alarming += other.alarming;
    wrong += other.wrong;
  }
};

Sums sums_of(const Label& label) {
  Sums sums{.positives = static_cast<int>(label.positives.size()),
            .negatives = static_cast<int>(label.negatives.size())};
  std::set<std::string> covering;
  for (const Raised& raised : label.positives) {
    sums.found += raised.rules.empty() ? 0 : 1;
    sums.alarming += std::ranges::any_of(
        raised.rules, [](const auto& rule) { return rule.second >= detect::Level::medium; });
    for (const auto& [name, level] : raised.rules) covering.insert(name);
  }
  for (const Raised& raised : label.negatives) {
    sums.wrong += std::ranges::any_of(
        raised.rules, [&](const auto& rule) { return covering.contains(rule.first); });
  }
  return sums;
}

std::string rules_of(const Label& label) {
  std::map<std::string, detect::Level> rules;
  std::set<std::string> silent;
  for (const Raised& raised : label.positives) {
    rules.insert(raised.rules.begin(), raised.rules.end());
    silent.insert(raised.silent.begin(), raised.silent.end());
  }
  std::string text;
  for (const auto& [name, level] : rules) {
    text += (text.empty() ? "" : ", ") + name + " " + std::string(to_string(level).substr(0, 1));
  }
  for (const std::string& name : silent) text += (text.empty() ? "(" : ", (") + name + ")";
  return text;
}

struct Aside {
  std::string kind;
  std::string why;
};

std::map<std::string, Aside> read_asides() {
  const auto documents = yaml::parse(read_file(source_folder() + "/tests/bench/labels.yaml"));
  CHECK(documents);
  std::map<std::string, Aside> asides;
  for (const yaml::Node& item : documents->front().items) {
    asides[item.find("label")->scalar] = {.kind = item.find("kind")->scalar,
                                          .why = item.find("why")->scalar};
  }
  return asides;
}

std::vector<Label> read_labels(const std::map<std::string, Aside>& asides, const Rules& rules) {
  std::vector<Label> labels;
  for (const char* source : {"google_workspace", "gcp_audit", "github_audit", "okta"}) {
    const std::string path = corpus_folder() + "/events/" + source + ".ndjson.gz";
    for (const std::string& line : lines_of_gzip(path)) {
      const auto value = json::parse(line);
      CHECK(value);
      const std::string name = value->text("rule");
      if (labels.empty() || labels.back().name != name || labels.back().source != source) {
        const auto aside = asides.find(name);
        labels.push_back({.source = source,
                          .name = name,
                          .kind = aside == asides.end() ? "" : aside->second.kind,
                          .positives = {},
                          .negatives = {}});
      }
      const std::string decoder = decoder_of((*value)["event"]);
      if (decoder.empty()) {
        ++labels.back().alien;
        continue;
      }
      const bool* const expected = (*value)["expected"].as_bool();
      CHECK(expected != nullptr);
      (*expected ? labels.back().positives : labels.back().negatives)
          .push_back(raised_by((*value)["event"], decoder, rules));
    }
  }
  return labels;
}

void print_labels(const std::vector<Label>& labels) {
  std::printf("%s\n%-61s %4s %4s %4s %5s %5s  %-25s %s\n", head, "label", "pos.", "neg.", "true",
              "false", "alien", "set aside", "rules");
  std::string source;
  for (const Label& label : labels) {
    if (label.source != source) std::printf("\n%s\n", label.source.c_str());
    source = label.source;
    const Sums sums = sums_of(label);
    std::printf("  %-59s %4d %4d %4d %5d %5d  %-25s %s\n", label.name.c_str(), sums.positives,
                sums.negatives, sums.found, sums.wrong, label.alien, label.kind.c_str(),
                rules_of(label).c_str());
  }
}

void print_sums(const char* what, const Sums& sums) {
  const int raised = sums.found + sums.wrong;
  std::printf("  %-38s %4d %4d %4d %5d", what, sums.positives, sums.negatives, sums.found,
              sums.wrong);
  if (raised == 0 || sums.positives == 0) {
    std::printf("          -      -         -\n");
    return;
  }
  std::printf("  %7.1f %% %5.1f %% %7.1f %%\n", 100.0 * sums.found / raised,
              100.0 * sums.found / sums.positives, 100.0 * sums.alarming / sums.positives);
}

// Precision and recall once over every label, and once without those that are set aside.
void print_totals(const std::vector<Label>& labels) {
  for (const bool all : {true, false}) {
    std::map<std::string, Sums> by_source;
    Sums total;
    for (const Label& label : labels) {
      if (!all && !label.kind.empty()) continue;
      const Sums sums = sums_of(label);
      by_source[label.source].add(sums);
      total.add(sums);
    }
    std::printf("\n%-40s pos. neg. true false  precision  recall  incident\n",
                all ? "every label" : "without labels that are set aside");
    for (const auto& [source, sums] : by_source) print_sums(source.c_str(), sums);
    print_sums("in total", total);
  }
  std::printf("\nincident: share of positives that open one, a rule of level medium or above\n");
}

int bench(const std::string& folder) {
  const auto asides = read_asides();
  const auto labels = read_labels(asides, load(folder));
  print_labels(labels);
  print_totals(labels);
  std::printf("\nwhy labels are set aside\n");
  for (const auto& [label, aside] : asides) {
    std::printf("  %s: %s; %s\n", label.c_str(), aside.kind.c_str(), aside.why.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace mailwarden

int main(int argc, char** argv) {
  using namespace mailwarden;
  if (corpus_folder().empty()) {
    std::printf("skipped: the corpus of outside events is absent\n");
    return 0;
  }
  return bench(argc > 1 ? argv[1] : source_folder() + "/rules/sigma");
}
