// The parts that rules, correlations and filters are read from.
//
// What     One DocumentReader reads one YAML document; what is wrong with it goes to its Mistakes.
// Owns     Nothing.
// Threads  Pure.
// Errors   Mistakes.
// Limits   ParseLimits.
// Source   Sigma 2.1.0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "detect/parse_selection.h"
#include "detect/rule.h"
#include "json/yaml.h"

namespace mailwarden::detect {

class DocumentReader {
 public:
  DocumentReader(const yaml::Node& document, Header place, const ParseLimits& limits)
      : document_(document), header_(std::move(place)), limits_(limits) {}

  // Adds the document to `into`, or a refusal.
  void read(RuleTexts& into);

 private:
  std::string text(const yaml::Node& node, const char* name);
  std::vector<std::string> texts(const yaml::Node& node, const char* name);

  void read_header();
  void read_level();
  void read_own(const yaml::Node& own);
  void read_fact(const yaml::Node& name, const yaml::Node& worth);
  void read_access(const yaml::Node& access);
  Logsource read_logsource(bool mandatory);
  Rule read_rule();
  Filter read_filter(const yaml::Node& own);

  Correlation read_correlation(const yaml::Node& own);
  void read_type(const yaml::Node& own, Correlation& correlation);
  void read_rules(const yaml::Node& own, Correlation& correlation);
  void read_group_by(const yaml::Node& own, Correlation& correlation);
  void read_timespan(const yaml::Node& own, Correlation& correlation);
  void read_generate(const yaml::Node& own, Correlation& correlation);
  void read_aliases(const yaml::Node& own, Correlation& correlation);
  void read_condition(const yaml::Node& own, Correlation& correlation);
  void read_bound(const yaml::Node& compare, const yaml::Node& bound, Correlation& correlation);
  void read_field(const yaml::Node& condition, Correlation& correlation);
  void read_percentile(const yaml::Node& condition, Correlation& correlation);
  void check_bounds(const yaml::Node& condition, const Correlation& correlation);

  const yaml::Node& document_;
  Header header_;
  const ParseLimits& limits_;
  Mistakes mistakes_;
};

}  // namespace mailwarden::detect
