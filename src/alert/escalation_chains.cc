// Reads escalations.yaml.
#include "alert/escalation_chains.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "json/yaml_reader.h"

namespace mailwarden::alert {
namespace {

using yaml::Node;

constexpr std::array until_names{std::pair{Until::acknowledged, std::string_view("acknowledged")},
                                 std::pair{Until::contained, std::string_view("contained")},
                                 std::pair{Until::resolved, std::string_view("resolved")}};

bool is_plain_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

class ChainsFile {
 public:
  explicit ChainsFile(const std::string& file) : reader_(file) {}

  Result<void> read(std::string_view text, std::vector<Chain>& chains) {
    const auto documents = reader_.documents(text);
    const bool empty = documents.empty() || (documents.size() == 1 && documents[0].is_null());
    if (empty && reader_.mistakes().empty()) return {};
    if (documents.size() == 1) {
      if (reader_.is_map(documents[0], "the file", {"chains"})) {
        for (const Node& node : list(documents[0], "chains", EscalationLimits::chains_max)) {
          chains.push_back(read_chain(node));
        }
      }
    } else if (reader_.mistakes().empty()) {
      return fail(Code::invalid, reader_.file() + ": must hold one document with 'chains'");
    }
    if (!reader_.mistakes().empty()) return fail(Code::invalid, reader_.all_mistakes());
    return {};
  }

 private:
  // The items of a list that must be there, unless there are too many of them.
  std::vector<Node> list(const Node& map, std::string_view name, std::size_t max) {
    const Node* const node = reader_.sequence(map, name);
    if (node == nullptr) return {};
    if (node->items.size() <= max) return node->items;
    reader_.mistake(*node, "more than " + std::to_string(max) + " " + std::string(name));
    return {};
  }

  std::string where(const Node& node) const { return reader_.file() + ", " + node.where(); }

  Duration span(const Node& map, std::string_view name, Duration fallback) {
    const Duration found = reader_.duration(map, name, fallback);
    if (found <= EscalationLimits::after_max) return found;
    reader_.mistake(*map.find(name), in_quotes(name) + " must be at most 30d");
    return fallback;
  }

  void read_name(const Node& node, Chain& chain) {
    chain.name = reader_.text(node, "name");
    if (chain.name.empty()) return;
    const Node& at = *node.find("name");
    if (chain.name.size() > EscalationLimits::name_bytes_max || !is_plain_name(chain.name)) {
      reader_.mistake(at, "a chain's name has letters, digits, '_' and '-', at most " +
                              std::to_string(EscalationLimits::name_bytes_max) + " of them");
    }
    if (!names_.insert(chain.name).second) {
      reader_.mistake(at, "a chain " + in_quotes(chain.name) + " stands here already");
    }
  }

  ChainStep read_step(const Node& node, const std::vector<ChainStep>& before) {
    ChainStep step{.where = where(node)};
    if (!reader_.is_map(node, "a step", {"after", "to", "severity_from"})) return step;
    step.after = span(node, "after", Duration(0));
    if (!before.empty() && step.after <= before.back().after) {
      reader_.mistake(node, "'after' must be longer than that of the step before");
    }
    step.to = reader_.texts(node, "to");
    if (step.to.size() > EscalationLimits::to_max) {
      reader_.mistake(node, "more than " + std::to_string(EscalationLimits::to_max) + " in 'to'");
    }
    for (const std::string& name : step.to) {
      if (!name.starts_with(escalation_prefix)) continue;
      reader_.mistake(*node.find("to"), "a chain does not name another: " + in_quotes(name));
    }
    step.severity_from =
        static_cast<incident::Severity>(reader_.integer(node, "severity_from", 0, 3, 0));
    return step;
  }

  void read_repeat(const Node& node, Chain& chain) {
    chain.repeat = reader_.integer(node, "repeat", 0, EscalationLimits::repeat_max, 0);
    const Duration last = chain.steps.empty() ? Duration(0) : chain.steps.back().after;
    chain.repeat_after =
        span(node, "repeat_after", last + EscalationLimits::repeat_after_last_step);
    if (chain.repeat_after > last) return;
    reader_.mistake(*node.find("repeat_after"),
                    "'repeat_after' must be longer than 'after' of the last step; both count from "
                    "the beginning of the round");
  }

  Chain read_chain(const Node& node) {
    Chain chain{.where = where(node)};
    if (!reader_.is_map(node, "a chain", {"name", "steps", "repeat", "repeat_after", "until"})) {
      return chain;
    }
    read_name(node, chain);
    for (const Node& step : list(node, "steps", EscalationLimits::steps_max)) {
      chain.steps.push_back(read_step(step, chain.steps));
    }
    read_repeat(node, chain);
    if (node.find("until") == nullptr) return chain;
    const std::string until = reader_.text(node, "until");
    if (!until.empty() && !parse_until(until, chain.until)) {
      reader_.mistake(*node.find("until"),
                      in_quotes(until) + " is none of acknowledged, contained, resolved");
    }
    return chain;
  }

  yaml::Reader reader_;
  std::set<std::string> names_;
};

}  // namespace

std::string_view to_string(Until until) {
  return std::ranges::find(until_names, until, [](const auto& n) { return n.first; })->second;
}

bool parse_until(std::string_view text, Until& until) {
  const auto* const found =
      std::ranges::find(until_names, text, [](const auto& n) { return n.second; });
  if (found == until_names.end()) return false;
  until = found->first;
  return true;
}

bool is_met(Until until, const incident::Incident& incident) {
  switch (until) {
    case Until::acknowledged:
      return incident.acknowledged != Timestamp();
    case Until::contained:
      return incident.contained != Timestamp();
    case Until::resolved:
      return incident.resolved != Timestamp();
  }
  return false;
}

Result<EscalationChains> EscalationChains::parse(std::string_view yaml, const std::string& file) {
  EscalationChains parsed;
  if (auto done = ChainsFile(file).read(yaml, parsed.chains_); !done) {
    return std::unexpected(done.error());
  }
  return parsed;
}

const Chain* EscalationChains::find(std::string_view name) const {
  const auto found = std::ranges::find(chains_, name, &Chain::name);
  return found == chains_.end() ? nullptr : &*found;
}

std::vector<std::string> unreachable(const EscalationChains& chains,
                                     const incident::SeverityTable& severity) {
  const auto gravest =
      severity.rows().empty() ? incident::Severity::low : severity.rows().front().severity;
  std::vector<std::string> sentences;
  for (const Chain& chain : chains.chains()) {
    for (const ChainStep& step : chain.steps) {
      if (step.severity_from <= gravest) continue;
      sentences.push_back(step.where +
                          ": the step never comes, since no row of severity.yaml gives "
                          "severity " +
                          std::to_string(static_cast<int>(step.severity_from)) + " or more");
    }
  }
  return sentences;
}

}  // namespace mailwarden::alert
