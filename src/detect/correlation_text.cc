#include "detect/correlation_text.h"

#include "json/value.h"

namespace mailwarden::detect {
namespace {

json::Array array_of(const std::vector<std::string>& texts) {
  json::Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

json::Value value_of(const std::optional<Correlation::Bound>& bound) {
  if (!bound) return nullptr;
  return json::Array{bound->millionths, bound->open};
}

}  // namespace

std::string signature_of(const Correlation& correlation) {
  json::Object aliases;
  for (const auto& [alias, fields] : correlation.aliases) {
    json::Object mapped;
    for (const auto& [rule, field] : fields) mapped[rule] = field;
    aliases[alias] = std::move(mapped);
  }
  return json::to_text(json::Object{{"aliases", std::move(aliases)},
                                    {"at_least", value_of(correlation.at_least)},
                                    {"at_most", value_of(correlation.at_most)},
                                    {"differs", correlation.differs},
                                    {"fields", array_of(correlation.fields)},
                                    {"group_by", array_of(correlation.group_by)},
                                    {"percentile", correlation.percentile},
                                    {"rules", array_of(correlation.rules)},
                                    {"timespan", correlation.timespan.count()},
                                    {"type", to_string(correlation.type)}});
}

std::string field_text(const Correlation& correlation) {
  std::string text;
  for (const std::string& field : correlation.fields) text += (text.empty() ? "" : ", ") + field;
  return text;
}

std::optional<std::string> field_for(const std::map<std::string, std::string>& alias,
                                     const std::string& rule) {
  const auto field = alias.find(rule);
  if (field == alias.end()) return std::nullopt;
  return field->second;
}

}  // namespace mailwarden::detect
