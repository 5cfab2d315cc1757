#include "alert/inhibition.h"

namespace mailwarden::alert {
namespace {

// Each value behind its length, so that nothing moves from one into the next.
std::string equal_key(const Inhibition& rule, const Labels& labels) {
  std::string key;
  for (const std::string& name : rule.equal) {
    const std::string_view value = value_of(labels, name);
    key += std::to_string(value.size()) + ":";
    key += value;
  }
  return key;
}

}  // namespace

Inhibitors::Inhibitors(const std::vector<Inhibition>& rules, const SignalBook& signals,
                       Timestamp now)
    : rules_(rules), sources_(rules.size()) {
  if (rules_.empty()) return;
  for (const auto& [number, signal] : signals.all()) {
    if (signal.is_over(now)) continue;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (!match_all(rules_[i].source, signal.labels)) continue;
      Sources& sources = sources_[i][equal_key(rules_[i], signal.labels)];
      if (sources.any == 0) sources.any = number;
      if (sources.no_target == 0 && !match_all(rules_[i].target, signal.labels)) {
        sources.no_target = number;
      }
    }
  }
}

std::int64_t Inhibitors::inhibiting(const Labels& labels) const {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (sources_[i].empty() || !match_all(rules_[i].target, labels)) continue;
    const auto found = sources_[i].find(equal_key(rules_[i], labels));
    if (found == sources_[i].end()) continue;
    const bool is_source = match_all(rules_[i].source, labels);
    const std::int64_t by = is_source ? found->second.no_target : found->second.any;
    if (by != 0) return by;
  }
  return 0;
}

}  // namespace mailwarden::alert
