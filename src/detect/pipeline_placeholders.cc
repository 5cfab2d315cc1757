// Placeholders of an item, replaced before its rule is resolved.
#include <algorithm>

#include "base/text.h"
#include "detect/pipeline_values.h"
#include "detect/placeholders.h"

namespace mailwarden::detect {
namespace {

using PlaceholderKind = PlaceholderPart::Kind;

// A value that is put where `expand` still comes: it must come out as it was.
std::string hidden_from_expand(const std::string& value, bool expression) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char next = i + 1 < value.size() ? value[i + 1] : '\0';
    if (value[i] == '\\' && (next == '%' || next == '\\')) {
      ++i;
      // In an expression \% is a percent sign; in a text it is a backslash and one.
      out += next == '\\' ? "\\\\" : expression ? "\\%" : "\\\\\\%";
    } else if (value[i] == '%') {
      out += "\\%";
    } else {
      out += value[i] == '\\' && next == '\0' && !expression ? "\\\\" : value.substr(i, 1);
    }
  }
  return out;
}

class Replacing {
 public:
  Replacing(const ReplacePlaceholders& change, const Placeholders& vars, bool expression,
            std::size_t text_bytes_max)
      : change_(change), vars_(vars), expression_(expression), bytes_max_(text_bytes_max) {}

  bool handles(const PlaceholderPart& one) const {
    auto lists = [&](const std::vector<std::string>& names) {
      return std::ranges::find(names, one.text) != names.end();
    };
    if (one.kind != PlaceholderKind::name) return false;
    if (change_.include) return lists(*change_.include);
    return !change_.exclude || !lists(*change_.exclude);
  }

  // All combinations; `stays` where `expand` still has something to do.
  Result<std::vector<std::string>> texts(const std::vector<PlaceholderPart>& parts,
                                         bool stays) const {
    std::vector<std::string> all{""};
    for (const PlaceholderPart& part : parts) {
      std::vector<std::string> some;
      if (part.kind == PlaceholderKind::text) {
        some = {stays ? part.text : without_hidden_percents(part.text)};
      } else if (!handles(part)) {
        some = {"%" + part.text + "%"};
      } else {
        auto values = values_of(part.text, stays);
        if (!values) return values;
        some = *std::move(values);
      }
      if (all.size() * some.size() > values_max) {
        return fail(Code::full, "the placeholders of one value make more than " +
                                    std::to_string(values_max) + " texts");
      }
      std::vector<std::string> more;
      for (const std::string& one : all) {
        for (const std::string& end : some) {
          if (one.size() + end.size() > bytes_max_) {
            return fail(Code::full,
                        "a text of more than " + std::to_string(bytes_max_) + " bytes comes of it");
          }
          more.push_back(one + end);
        }
      }
      all = std::move(more);
    }
    return all;
  }

 private:
  Result<std::vector<std::string>> values_of(const std::string& name, bool stays) const {
    if (change_.by_wildcard) return std::vector<std::string>{expression_ ? ".*" : "*"};
    const auto found = vars_.find(name);
    if (found == vars_.end()) {
      return fail(Code::invalid,
                  "'vars' have no values for the placeholder '%" + printable(name) + "%'");
    }
    std::vector<std::string> values = found->second;
    for (std::string& value : values) {
      if (stays) value = hidden_from_expand(value, expression_);
    }
    return values;
  }

  const ReplacePlaceholders& change_;
  const Placeholders& vars_;
  bool expression_;
  std::size_t bytes_max_;
};

}  // namespace

MaybeChanged replace_placeholders(const ReplacePlaceholders& change, const Placeholders& vars,
                                  const DetectionItem& item, std::size_t text_bytes_max) {
  if (!has_modifier(item, "expand")) return std::nullopt;
  const Replacing replacing(change, vars, has_modifier(item, "re"), text_bytes_max);
  std::vector<std::vector<PlaceholderPart>> parts;
  bool any = false;
  bool stays = false;
  for (const RuleValue& value : item.values) {
    for (const PlaceholderPart& part : parts.emplace_back(placeholder_parts(value.text))) {
      any = any || replacing.handles(part);
      // What is wrong is told by `expand`, and so is what another transformation did not handle.
      stays = stays || (part.kind != PlaceholderKind::text && !replacing.handles(part));
    }
  }
  if (!any) return std::nullopt;
  ChangedValues changed{.item = item, .values = {}};
  if (!stays) std::erase(changed.item.modifiers, "expand");
  for (std::size_t i = 0; i < item.values.size(); ++i) {
    std::vector<RuleValue>& into = changed.values.emplace_back();
    if (item.values[i].kind == RuleValue::Kind::null) {
      into.push_back(item.values[i]);
      continue;
    }
    auto texts = replacing.texts(parts[i], stays);
    if (!texts) return std::unexpected(texts.error());
    for (std::string& text : *texts) {
      RuleValue& value = into.emplace_back(item.values[i]);
      value.text = std::move(text);
      // A number beside placeholders is a text, as `expand` has it.
      value.kind = RuleValue::Kind::text;
    }
  }
  return changed;
}

}  // namespace mailwarden::detect
