#include "ingest/decode/json_mapping.h"

#include <array>

#include "base/text.h"
#include "json/yaml.h"

namespace mailwarden::ingest {
namespace {

using yaml::Node;

struct Reader {
  std::string_view where;
  std::string mistakes;
  std::size_t entries = 0;

  void wrong(const Node& node, const std::string& what) {
    if (!mistakes.empty()) mistakes += "; ";
    mistakes += std::string(where) + ", " + node.where() + ": " + what;
  }

  // A scalar's text, or a mistake.
  std::string text(const Node& node, const char* what) {
    if (!node.is_scalar() || node.scalar.empty()) {
      wrong(node, std::string("expected ") + what);
      return {};
    }
    return node.scalar;
  }

  // One text or a list of them.
  std::vector<std::string> texts(const Node& node, const char* what) {
    std::vector<std::string> all;
    if (!node.is_sequence()) {
      all.push_back(text(node, what));
    } else {
      for (const Node& item : node.items) all.push_back(text(item, what));
      if (node.items.empty()) wrong(node, std::string("expected at least one ") + what);
    }
    entries += all.size();
    return all;
  }

  bool is_map(const Node& node, const char* what) {
    if (!node.is_map()) wrong(node, std::string("expected ") + what);
    return node.is_map();
  }

  void unknown(const Node& name, const char* part, const char* there_are) {
    wrong(name,
          std::string(part) + " has no part '" + name.scalar + "' (there are " + there_are + ")");
  }
};

void read_logsource(Reader& reader, const Node& node, Logsource& logsource) {
  if (!reader.is_map(node, "a map of product, category and service")) return;
  for (const auto& [name, value] : node.entries) {
    std::string text = reader.text(value, "a name");
    if (name.scalar == "product") {
      logsource.product = std::move(text);
    } else if (name.scalar == "category") {
      logsource.category = std::move(text);
    } else if (name.scalar == "service") {
      logsource.service = std::move(text);
    } else {
      reader.unknown(name, "logsource", "product, category, service");
    }
  }
}

TimeFormat read_format(Reader& reader, const Node& node) {
  constexpr std::array<std::string_view, 5> formats{
      "rfc3339", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds", "epoch_nanoseconds"};
  for (std::size_t i = 0; i < formats.size(); ++i) {
    if (node.scalar == formats[i]) return static_cast<TimeFormat>(i);
  }
  reader.wrong(node, "no time format '" + node.scalar +
                         "' (there are rfc3339, epoch_seconds, epoch_milliseconds, "
                         "epoch_microseconds, epoch_nanoseconds)");
  return TimeFormat::rfc3339;
}

void read_time(Reader& reader, const Node& node, JsonMapping& mapping) {
  if (!reader.is_map(node, "a map of paths, format and otherwise")) return;
  for (const auto& [name, value] : node.entries) {
    if (name.scalar == "paths" || name.scalar == "path") {
      mapping.time_paths = reader.texts(value, "a path");
    } else if (name.scalar == "format") {
      mapping.time_format = read_format(reader, value);
    } else if (name.scalar == "otherwise") {
      if (value.scalar != "received") reader.wrong(value, "otherwise can only be received");
      mapping.time_otherwise_received = true;
    } else {
      reader.unknown(name, "time", "paths, format, otherwise");
    }
  }
}

std::vector<JsonMapping::Condition> read_conditions(Reader& reader, const Node& node) {
  std::vector<JsonMapping::Condition> conditions;
  if (!reader.is_map(node, "a map of path and value")) return conditions;
  for (const auto& [path, value] : node.entries) {
    conditions.push_back({.path = path.scalar, .patterns = reader.texts(value, "a value")});
  }
  if (conditions.empty()) reader.wrong(node, "no condition would always hold");
  return conditions;
}

void read_pairs(Reader& reader, const Node& node, JsonMapping& mapping) {
  if (!node.is_sequence()) return reader.wrong(node, "expected a list of pairs");
  for (const Node& item : node.items) {
    if (!reader.is_map(item, "a map of at, name, values and prefix")) continue;
    std::string at;
    std::string name_part;
    JsonMapping::Paths values;
    std::string prefix;
    for (const auto& [name, value] : item.entries) {
      if (name.scalar == "at") {
        at = reader.text(value, "a path");
      } else if (name.scalar == "name") {
        name_part = reader.text(value, "a member's name");
      } else if (name.scalar == "values") {
        values = reader.texts(value, "a member's name");
      } else if (name.scalar == "prefix") {
        prefix = reader.text(value, "the beginning of field names");
      } else {
        reader.unknown(name, "a pair", "at, name, values, prefix");
      }
    }
    if (at.empty() || name_part.empty() || values.empty() || prefix.empty()) {
      reader.wrong(item, "a pair needs at, name, values and prefix");
    }
    for (std::string& value : values) value.insert(0, at + ".");
    mapping.pairs.push_back(
        {.name = at + "." + name_part, .values = std::move(values), .prefix = std::move(prefix)});
  }
}

void read_names(Reader& reader, const Node& node, JsonMapping& mapping) {
  if (!reader.is_map(node, "a map of field name and paths")) return;
  for (const auto& [name, value] : node.entries) {
    mapping.names.emplace_back(name.scalar, reader.texts(value, "a path"));
  }
}

void read_attributes(Reader& reader, const Node& node,
                     std::vector<JsonMapping::Attribute>& attributes) {
  constexpr std::pair<std::string_view, std::string Ocsf::*> places[] = {
      {"actor_user", &Ocsf::actor_user}, {"user", &Ocsf::user},
      {"src_ip", &Ocsf::src_ip},         {"dst", &Ocsf::dst},
      {"device", &Ocsf::device},         {"resource", &Ocsf::resource},
      {"service", &Ocsf::service},       {"email_from", &Ocsf::email_from},
      {"email_to", &Ocsf::email_to},     {"message", &Ocsf::message}};
  if (!reader.is_map(node, "a map of attribute and paths")) return;
  for (const auto& [name, value] : node.entries) {
    JsonMapping::Attribute attribute;
    for (const auto& [known, place] : places) {
      if (name.scalar == known) attribute.place = place;
    }
    if (attribute.place == nullptr) {
      reader.unknown(name, "ocsf",
                     "actor_user, user, src_ip, dst, device, resource, service, email_from, "
                     "email_to, message");
      continue;
    }
    attribute.paths = reader.texts(value, "a path");
    attributes.push_back(std::move(attribute));
  }
}

std::optional<int> read_number(Reader& reader, const Node& node) {
  const auto number = to_integer(node.scalar);
  if (!number || *number < 0 || *number > 1'000'000) {
    reader.wrong(node, "'" + node.scalar + "' is not a number of OCSF's");
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

std::optional<Outcome> read_status(Reader& reader, const Node& node) {
  if (node.scalar == "success") return Outcome::success;
  if (node.scalar == "failure") return Outcome::failure;
  if (node.scalar == "unknown") return Outcome::unknown;
  reader.wrong(node, "status is success, failure or unknown");
  return std::nullopt;
}

JsonMapping::Constants read_constants(Reader& reader, const Node& node) {
  JsonMapping::Constants set;
  if (!reader.is_map(node, "a map of attribute and value")) return set;
  for (const auto& [name, value] : node.entries) {
    if (name.scalar == "class_uid") {
      set.class_uid = read_number(reader, value);
    } else if (name.scalar == "activity_id") {
      set.activity_id = read_number(reader, value);
    } else if (name.scalar == "status") {
      set.status = read_status(reader, value);
    } else if (name.scalar == "is_mfa") {
      if (!yaml::is_true(value) && !yaml::is_false(value)) {
        reader.wrong(value, "is_mfa is true or false");
      }
      set.is_mfa = yaml::is_true(value);
    } else if (name.scalar == "product") {
      set.product = reader.text(value, "a name");
    } else if (name.scalar == "category") {
      set.category = reader.text(value, "a name");
    } else if (name.scalar == "service") {
      set.service = reader.text(value, "a name");
    } else {
      reader.unknown(name, "set",
                     "class_uid, activity_id, status, is_mfa, product, category, service");
    }
  }
  return set;
}

void read_cases(Reader& reader, const Node& node, JsonMapping& mapping) {
  if (!node.is_sequence()) return reader.wrong(node, "expected a list of cases");
  for (const Node& item : node.items) {
    if (!reader.is_map(item, "a case: a map of when, set, ocsf and fields")) continue;
    JsonMapping::Case one;
    for (const auto& [name, value] : item.entries) {
      if (name.scalar == "when") {
        one.when = read_conditions(reader, value);
      } else if (name.scalar == "set") {
        one.set = read_constants(reader, value);
      } else if (name.scalar == "ocsf") {
        read_attributes(reader, value, one.attributes);
      } else if (name.scalar == "fields") {
        if (!reader.is_map(value, "a map of field and value")) continue;
        for (const auto& [field, constant] : value.entries) {
          one.fields.emplace_back(field.scalar, reader.text(constant, "a value"));
        }
      } else {
        reader.unknown(name, "a case", "when, set, ocsf, fields");
      }
    }
    if (item.find("when") == nullptr) reader.wrong(item, "a case needs a when");
    mapping.cases.push_back(std::move(one));
  }
}

void read_part(Reader& reader, const Node& name, const Node& value, JsonMapping& mapping) {
  if (name.scalar == "mapping") {
    mapping.name = reader.text(value, "the mapping's name");
  } else if (name.scalar == "logsource") {
    read_logsource(reader, value, mapping.logsource);
  } else if (name.scalar == "recognise") {
    mapping.recognise = read_conditions(reader, value);
  } else if (name.scalar == "time") {
    read_time(reader, value, mapping);
  } else if (name.scalar == "pairs") {
    read_pairs(reader, value, mapping);
  } else if (name.scalar == "names") {
    read_names(reader, value, mapping);
  } else if (name.scalar == "ocsf") {
    read_attributes(reader, value, mapping.attributes);
  } else if (name.scalar == "cases") {
    read_cases(reader, value, mapping);
  } else {
    reader.unknown(name, "a mapping",
                   "mapping, logsource, recognise, time, pairs, names, ocsf, cases");
  }
}

}  // namespace

Result<JsonMapping> parse_json_mapping(std::string_view text, std::string_view where) {
  const auto documents = yaml::parse(text);
  if (!documents) return fail(where, documents.error());
  if (documents->size() != 1 || !documents->front().is_map()) {
    return fail(Code::invalid, std::string(where) + ": expected one map with mapping, time, …");
  }
  const Node& root = documents->front();
  Reader reader{.where = where, .mistakes = {}, .entries = 0};
  JsonMapping mapping;
  for (const auto& [name, value] : root.entries) read_part(reader, name, value, mapping);
  if (root.find("mapping") == nullptr) reader.wrong(root, "the mapping's name is missing");
  if (mapping.time_paths.empty() && !mapping.time_otherwise_received) {
    reader.wrong(root, "time is missing: where does the time of an event stand?");
  }
  if (reader.entries > JsonMapping::entries_max) {
    reader.wrong(root, "more than " + std::to_string(JsonMapping::entries_max) + " entries");
  }
  if (!reader.mistakes.empty()) return fail(Code::invalid, reader.mistakes);
  return mapping;
}

}  // namespace mailwarden::ingest
