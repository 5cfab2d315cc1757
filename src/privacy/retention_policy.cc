#include "privacy/retention_policy.h"

#include <algorithm>
#include <set>

#include "json/yaml.h"

namespace mailwarden::privacy {
namespace {

using yaml::Node;

class Reader {
 public:
  Reader(const std::string& file, std::vector<std::string>& mistakes)
      : file_(file), mistakes_(mistakes) {}

  void mistake(const Node& node, const std::string& what) {
    mistakes_.push_back(file_ + ", " + node.where() + ": " + what);
  }

  void only(const Node& map, const std::set<std::string, std::less<>>& known) {
    for (const auto& [name, value] : map.entries) {
      if (!known.contains(name.scalar)) mistake(name, "'" + name.scalar + "' is not known here");
    }
  }

  std::string text(const Node& map, const char* name) {
    const Node* node = map.find(name);
    if (node != nullptr && node->is_scalar()) return node->scalar;
    mistake(node == nullptr ? map : *node, std::string("'") + name + "' must be a text");
    return {};
  }

  std::vector<std::string> sources(const Node& map, bool required) {
    const Node* node = map.find("sources");
    std::vector<std::string> names;
    if (node == nullptr && !required) return names;
    if (node == nullptr || !node->is_sequence() || node->items.empty()) {
      mistake(node == nullptr ? map : *node, "'sources' must be a list of names");
      return names;
    }
    for (const Node& item : node->items) {
      const std::size_t star = item.scalar.find('*');
      if (!item.is_scalar() || (star != std::string::npos && star + 1 != item.scalar.size())) {
        mistake(item, "a source is a name, with * only at its end");
      } else {
        names.push_back(item.scalar);
      }
    }
    return names;
  }

  std::optional<Duration> duration(const Node& map, const char* name, bool required) {
    const Node* node = map.find(name);
    if (node == nullptr && !required) return std::nullopt;
    const auto parsed = node != nullptr ? parse_duration(node->scalar)
                                        : Result<Duration>(fail(Code::invalid, "is missing"));
    if (parsed && *parsed > Duration(0)) return *parsed;
    mistake(node == nullptr ? map : *node,
            std::string("'") + name + "': " + (parsed ? "must not be zero" : parsed.error().what));
    return std::nullopt;
  }

  Hold hold(const Node& node) {
    Hold hold;
    if (!node.is_map()) {
      mistake(node, "a hold is a map with 'name' and 'reason'");
      return hold;
    }
    only(node, {"name", "reason", "sources", "until"});
    hold.name = text(node, "name");
    hold.reason = text(node, "reason");
    hold.sources = sources(node, false);
    if (const Node* until = node.find("until"); until != nullptr) {
      const auto at = parse_rfc3339(until->scalar);
      if (at) {
        hold.until = *at;
      } else {
        mistake(*until, "'until': " + at.error().what);
      }
    }
    return hold;
  }

  RetentionPolicy policy(const Node& node) {
    RetentionPolicy policy;
    policy.file = file_;
    if (!node.is_map()) {
      mistake(node, "a retention policy is a map with 'category', 'basis', 'sources' and 'keep'");
      return policy;
    }
    only(node, {"category", "basis", "sources", "keep", "minimum", "holds"});
    policy.category = text(node, "category");
    policy.basis = text(node, "basis");
    policy.sources = sources(node, true);
    policy.keep = duration(node, "keep", true).value_or(Duration(0));
    policy.minimum = duration(node, "minimum", false);
    if (policy.minimum && policy.keep < *policy.minimum) {
      mistake(*node.find("minimum"), "keeps for " + to_words(policy.keep) + ", less than the " +
                                         to_words(*policy.minimum) + " that 'minimum' asks for");
    }
    if (const Node* holds = node.find("holds"); holds != nullptr) {
      if (!holds->is_sequence()) mistake(*holds, "'holds' must be a list");
      for (const Node& item : holds->items) policy.holds.push_back(hold(item));
    }
    return policy;
  }

 private:
  const std::string& file_;
  std::vector<std::string>& mistakes_;
};

bool overlap(const std::string& a, const std::string& b) {
  const bool open_a = a.ends_with('*');
  const bool open_b = b.ends_with('*');
  const std::string_view stem_a = std::string_view(a).substr(0, a.size() - (open_a ? 1 : 0));
  const std::string_view stem_b = std::string_view(b).substr(0, b.size() - (open_b ? 1 : 0));
  return stem_a == stem_b || (open_a && stem_b.starts_with(stem_a)) ||
         (open_b && stem_a.starts_with(stem_b));
}

void find_overlaps(const std::vector<RetentionPolicy>& policies,
                   std::vector<std::string>& mistakes) {
  for (std::size_t i = 0; i < policies.size(); ++i) {
    for (std::size_t k = i + 1; k < policies.size(); ++k) {
      for (const std::string& a : policies[i].sources) {
        for (const std::string& b : policies[k].sources) {
          if (!overlap(a, b)) continue;
          mistakes.push_back(policies[k].file + ": the source '" + b + "' of '" +
                             policies[k].category + "' is also taken by '" + policies[i].category +
                             "' in " + policies[i].file);
        }
      }
    }
  }
}

}  // namespace

Result<std::vector<RetentionPolicy>> parse_retention(std::span<const PolicyText> texts) {
  std::vector<RetentionPolicy> policies;
  std::vector<std::string> mistakes;
  for (const PolicyText& text : texts) {
    const auto documents = yaml::parse(text.text);
    if (!documents) {
      mistakes.push_back(text.file + ", " + documents.error().what);
      continue;
    }
    Reader reader(text.file, mistakes);
    for (const Node& document : *documents) policies.push_back(reader.policy(document));
  }
  if (policies.size() > policies_max) {
    mistakes.push_back("more than " + std::to_string(policies_max) + " retention policies");
  } else {
    find_overlaps(policies, mistakes);
  }
  if (mistakes.empty()) return policies;
  std::string what;
  for (const std::string& mistake : mistakes) what += (what.empty() ? "" : "\n") + mistake;
  return fail(Code::invalid, std::move(what));
}

bool takes(std::span<const std::string> patterns, std::string_view source) {
  return std::ranges::any_of(patterns, [source](const std::string& pattern) {
    if (!pattern.ends_with('*')) return pattern == source;
    return source.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  });
}

const Hold* find_hold(const RetentionPolicy& policy, std::string_view source, Timestamp now) {
  for (const Hold& hold : policy.holds) {
    const bool lifted = hold.until && now >= *hold.until;
    if (!lifted && (hold.sources.empty() || takes(hold.sources, source))) return &hold;
  }
  return nullptr;
}

}  // namespace mailwarden::privacy
