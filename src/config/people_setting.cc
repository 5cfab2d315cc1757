#include "base/parts.h"
#include "base/text.h"
#include "config/config.h"

namespace mailwarden::config {
namespace {

using identity::PeopleSourceOptions;

Result<void> read_span(Duration& into, std::string_view value) {
  const auto span = parse_duration(value);
  if (!span) return std::unexpected(span.error());
  if (*span == Duration(0)) return fail(Code::invalid, "must be longer than nothing");
  into = *span;
  return {};
}

Result<void> set_part(PeopleSourceOptions& source, std::string_view key, std::string_view value) {
  if (value.empty()) return fail(Code::invalid, "'" + std::string(key) + "' has no value");
  const std::string text(value);
  if (key == "name") {
    source.name = text;
  } else if (key == "token") {
    source.token_file = text;
  } else if (key == "customer") {
    source.customer = text;
  } else if (key == "ca") {
    source.ca_file = text;
  } else if (key == "groups") {
    if (text != "yes" && text != "no") return fail(Code::invalid, "'groups' is yes or no");
    source.groups = text == "yes";
  } else if (key == "interval") {
    return read_span(source.interval, value);
  } else if (key == "limit") {
    return read_span(source.limit, value);
  } else {
    return fail(
        Code::invalid,
        "'" + std::string(key) + "' is none of name, limit, interval, token, customer, groups, ca");
  }
  return {};
}

}  // namespace

Result<PeopleSourceOptions> parse_people_source(std::string_view text) {
  const PartsHead head = parts_head(text);
  const std::string_view kind = text.substr(0, text.find(','));
  const auto teller = identity::parse_teller(head.kind);
  if (!teller) {
    return fail(Code::invalid, "'" + std::string(kind) +
                                   "' tells nothing of people; expected personnel:FILES, "
                                   "google:FILES or google:https://HOST/PATH");
  }
  PeopleSourceOptions source{.name = std::string(to_string(*teller)), .teller = *teller};
  if (head.place) source.place = *head.place;
  if (head.place && source.place.empty()) {
    return fail(Code::invalid, "'" + std::string(kind) + "' names no place");
  }
  const auto set = [&](std::string_view key, std::string_view value) {
    return set_part(source, key, value);
  };
  if (auto done = each_part(text, set); !done) return std::unexpected(done.error());
  if (source.is_remote() && source.token_file.empty()) {
    return fail(Code::invalid, "'" + source.name +
                                   "' needs ,token=FILE, which holds what the API "
                                   "asks for");
  }
  return source;
}

}  // namespace mailwarden::config
