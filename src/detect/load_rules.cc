#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "detect/parse_rule.h"
#include "detect/rule.h"

namespace mailwarden::detect {
namespace {

bool is_rule_file(std::string_view name) {
  const bool is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
  return is_yaml && !name.ends_with(".test.yml") && !name.ends_with(".test.yaml");
}

void append(RuleTexts& all, RuleTexts more) {
  for (Rule& rule : more.rules) rule.header.order += all.documents;
  for (Correlation& correlation : more.correlations) correlation.header.order += all.documents;
  for (Filter& filter : more.filters) filter.header.order += all.documents;
  all.documents += more.documents;
  std::ranges::move(more.rules, std::back_inserter(all.rules));
  std::ranges::move(more.correlations, std::back_inserter(all.correlations));
  std::ranges::move(more.filters, std::back_inserter(all.filters));
  std::ranges::move(more.refused, std::back_inserter(all.refused));
}

void read_documents(const std::vector<yaml::Node>& documents, const Header& place,
                    const ParseLimits& limits, RuleTexts& into) {
  for (const yaml::Node& document : documents) {
    if (!document.is_null()) DocumentReader(document, place, limits).read(into);
  }
}

bool is_separator(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\r');
}

// The YAML reader's sentences begin with the place: "line N, column M: ...".
Refusal no_yaml(const std::string& file, std::string_view sentence) {
  constexpr std::string_view begin = "line ";
  const std::size_t comma = sentence.find(", ");
  std::int64_t line = 0;
  if (sentence.starts_with(begin) && comma != std::string_view::npos) {
    line = to_integer(sentence.substr(begin.size(), comma - begin.size())).value_or(0);
    sentence.remove_prefix(comma + 2);
  }
  return {.file = file,
          .line = static_cast<std::size_t>(line),
          .id = {},
          .reason = std::string(sentence)};
}

// One document that is no YAML must not cost the others of its file.
void read_one_by_one(std::string_view text, const Header& place, const ParseLimits& limits,
                     RuleTexts& into) {
  std::string padded;  // empty lines in place of what stands before, so that lines are told right
  std::size_t lines = 0;
  auto flush = [&] {
    const auto documents = yaml::parse(padded);
    if (documents) {
      read_documents(*documents, place, limits, into);
    } else {
      into.refused.push_back(no_yaml(place.file, documents.error().what));
    }
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view line = text.substr(0, end + 1);
    if (is_separator(line.substr(0, line.find_last_not_of("\r\n") + 1))) {
      flush();
      padded.assign(lines, '\n');
    }
    padded += line;
    ++lines;
    text.remove_prefix(end + 1);
  }
  flush();
}

}  // namespace

std::string Refusal::sentence() const {
  return file + (line == 0 ? "" : ", line " + std::to_string(line)) + ": " + reason;
}

RuleTexts parse_rules(std::string_view text, const std::string& file, const ParseLimits& limits) {
  RuleTexts texts;
  const Header place{.file = file, .version = crypto::to_hex(crypto::sha256(text))};
  if (const auto documents = yaml::parse(text)) {
    read_documents(*documents, place, limits, texts);
  } else {
    read_one_by_one(text, place, limits, texts);
  }
  return texts;
}

Result<RuleTexts> load_rules(const std::vector<std::string>& paths, const ParseLimits& limits) {
  RuleTexts all;
  for (const std::string& path : paths) {
    const auto files = files_below(path, is_rule_file);
    if (!files) return std::unexpected(files.error());
    for (const std::string& file : *files) {
      const auto text = read_whole_file(file);
      if (text) {
        append(all, parse_rules(*text, file, limits));
      } else {
        all.refused.push_back({.file = file, .line = 0, .id = {}, .reason = text.error().what});
      }
      if (all.rules.size() + all.correlations.size() + all.filters.size() > limits.rules_max) {
        return fail(Code::full,
                    "there are more than " + std::to_string(limits.rules_max) + " rules");
      }
    }
  }
  return all;
}

}  // namespace mailwarden::detect
