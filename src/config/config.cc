#include "config/config.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <boost/program_options.hpp>

#include "config/settings.h"
#include "json/yaml.h"

namespace mailwarden::config {
namespace {

namespace po = boost::program_options;
using yaml::Node;

constexpr std::string_view version = "mailwardend 0.1.0";

class Mistakes {
 public:
  void add(std::string what) { what_ += (what_.empty() ? "" : "\n") + std::move(what); }
  bool none() const { return what_.empty(); }
  std::unexpected<Error> error() { return fail(Code::invalid, std::move(what_)); }

 private:
  std::string what_;
};

po::options_description options() {
  po::options_description all("Options");
  auto add = all.add_options();
  add("config", po::value<std::string>()->value_name("FILE"),
      "a YAML file of these settings; the command line wins");
  for (const Setting& setting : settings()) {
    // Program_options copies name and meaning.
    const std::string name(setting.name);
    const std::string meaning(setting.meaning);
    add(name.c_str(),
        po::value<std::vector<std::string>>()->composing()->value_name(
            std::string(setting.argument)),
        meaning.c_str());
  }
  add("once", "read every source to its present end, settle and end");
  add("help", "print this");
  add("version", "print the program's version");
  return all;
}

void read(Config& config, const Setting& setting, const std::string& text, const std::string& where,
          Mistakes& mistakes) {
  if (auto done = setting.read(config, text); !done) mistakes.add(where + ": " + done.error().what);
  std::vector<std::string>& given = config.given[std::string(setting.name)];
  if (!setting.list) given.clear();
  given.push_back(text);
}

void clear(Config& config, const Setting& setting) {
  setting.clear(config);
  config.given.erase(std::string(setting.name));
}

// postgresql://USER:PASSWORD@HOST/…?password=PASSWORD without what may be secret: what stands
// between ':' and '@', and all behind the question mark.
std::string without_password(std::string text) {
  const std::size_t begin = text.find("://");
  if (begin == std::string::npos) return text;
  if (const std::size_t query = text.find('?', begin); query != std::string::npos) {
    text.replace(query + 1, std::string::npos, "***");
  }
  const std::size_t end = std::min(text.find('/', begin + 3), text.size());
  const std::size_t at = text.rfind('@', end);
  const std::size_t colon = text.find(':', begin + 3);
  if (at == std::string::npos || at < begin || colon >= at) return text;
  return text.substr(0, colon + 1) + "***" + text.substr(at);
}

// Whoever knows the address of a dead man's switch can keep it quiet.
std::string without_path(const std::string& text) {
  const std::size_t comma = text.find(',');
  const std::string url = text.substr(0, comma);
  const std::size_t host = url.find("://");
  const std::size_t slash = host == std::string::npos ? host : url.find('/', host + 3);
  const std::string rest = comma == std::string::npos ? "" : text.substr(comma);
  return without_password(slash == std::string::npos ? url : url.substr(0, slash) + "/***") + rest;
}

// A source in the file may be one line as on the command line, or a map of the same parts.
std::string source_text(const Node& node) {
  if (!node.is_map()) return node.scalar;
  std::string kind = "stdin";
  std::string parts;
  for (const auto& [name, value] : node.entries) {
    if (name.scalar == "file" || identity::parse_teller(name.scalar)) {
      kind = name.scalar + (value.scalar.empty() ? "" : ":" + value.scalar);
    } else {
      parts += "," + name.scalar + "=" + value.scalar;
    }
  }
  return kind + parts;
}

// The parts of a map as they stand on the command line.
std::string parts_text(const Node& node, std::string_view first) {
  std::string head;
  std::string parts;
  for (const auto& [name, value] : node.entries) {
    if (name.scalar == first) {
      head = value.scalar;
    } else {
      parts += "," + name.scalar + "=" + value.scalar;
    }
  }
  return head + parts;
}

void read_file_setting(Config& config, const Setting& setting, const Node& node,
                       const std::string& file, Mistakes& mistakes) {
  const std::string where = file + ", " + node.where() + ": " + std::string(setting.name);
  if (!setting.list) {
    if (node.is_map() && !setting.first.empty()) {
      return read(config, setting, parts_text(node, setting.first), where, mistakes);
    }
    if (!node.is_scalar()) return mistakes.add(where + ": expected one value");
    return read(config, setting, node.scalar, where, mistakes);
  }
  clear(config, setting);
  if (node.is_scalar()) return read(config, setting, node.scalar, where, mistakes);
  if (!node.is_sequence()) return mistakes.add(where + ": expected a list");
  for (const Node& item : node.items) {
    const std::string at = file + ", " + item.where() + ": " + std::string(setting.name);
    read(config, setting, source_text(item), at, mistakes);
  }
}

// Decisions tell who may do what, so nobody unknown asks for them from elsewhere.
void check_access(const Config& config, Mistakes& mistakes) {
  if (config.access_listen.empty()) return;
  if (config.tls_certificate.empty()) mistakes.add("access-listen needs tls-certificate");
  if (config.tls_key.empty()) mistakes.add("access-listen needs tls-key");
  for (const std::string& address : config.access_listen) {
    if (!config.tls_clients.empty() || is_loopback(address)) continue;
    mistakes.add("access-listen at " + address +
                 " needs tls-clients, since it is reached from other machines");
  }
}

// Without its keys a sealed store is not read, and with them alone nothing would be sealed.
void check_keys(const Config& config, Mistakes& mistakes) {
  if (config.keys.empty() && config.kek) {
    mistakes.add("kek needs keys, the file of the book of keys");
  }
  if (config.keys.empty()) return;
  if (!config.kek) mistakes.add("keys needs kek, the key that wraps them, such as kek: file:PATH");
  if (config.store == "sqlite:" + config.keys) {
    mistakes.add("keys is the same file as store; the book of keys is a database of its own");
  }
}

// `kind` is what mistakes call them: "sources".
template <class Source>
void check_names(const std::vector<Source>& sources, const std::string& kind, Mistakes& mistakes) {
  if (sources.size() > sources_max) {
    mistakes.add("more than " + std::to_string(sources_max) + " " + kind);
  }
  std::set<std::string> names;
  for (const Source& source : sources) {
    if (names.insert(source.name).second) continue;
    mistakes.add("two " + kind + " are named '" + source.name +
                 "'; give one of them another ,name=");
  }
}

void check(const Config& config, Mistakes& mistakes) {
  check_access(config, mistakes);
  check_keys(config, mistakes);
  if (config.next_key == config.key) mistakes.add("next-key is the same file as key");
  if (config.sources.empty()) mistakes.add("no source is given; add --source file:GLOB");
  check_names(config.sources, "sources", mistakes);
  check_names(config.checkpoint_receivers, "receivers of checkpoints", mistakes);
  check_names(config.people, "sources of people", mistakes);
}

Result<std::string> read_whole(const std::string& path) {
  const std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    return fail(Code::not_found, "the configuration file " + path + " cannot be read");
  }
  return std::move(text).str();
}

Result<po::variables_map> read_arguments(const std::vector<std::string>& arguments) {
  po::variables_map given;
  try {
    po::store(
        po::command_line_parser(arguments)
            .options(options())
            .positional(po::positional_options_description())
            .style(po::command_line_style::unix_style ^ po::command_line_style::allow_guessing)
            .run(),
        given);
  } catch (const po::error& e) {
    return fail(Code::invalid, std::string(e.what()) + "; --help lists the options");
  }
  return given;
}

}  // namespace

std::string_view program_version() {
  return version;
}

json::Object to_json(const std::map<std::string, std::vector<std::string>>& given) {
  json::Object settings;
  for (const auto& [name, texts] : given) {
    json::Array list;
    for (const std::string& text : texts) {
      list.emplace_back(name == "heartbeat" ? without_path(text) : without_password(text));
    }
    settings[name] = std::move(list);
  }
  return settings;
}

std::string describe() {
  std::ostringstream text;
  text << "Usage: mailwardend [--config FILE] [OPTION]...\n"
          "Watches logs, opens incidents and proves it. A try without a file:\n"
          "  mailwardend --once --store sqlite:PATH --source file:GLOB --rules DIR --policies "
          "DIR\n\n"
       << options();
  return std::move(text).str();
}

Result<Config> parse_file(std::string_view text, const std::string& file, Config base) {
  const auto documents = yaml::parse(text);
  if (!documents) return fail(file, documents.error());
  Mistakes mistakes;
  if (documents->size() > 1 || (documents->size() == 1 && !documents->front().is_map())) {
    mistakes.add(file + ": expected one map of settings");
    return mistakes.error();
  }
  for (const Node& document : *documents) {
    for (const auto& [name, value] : document.entries) {
      const auto setting =
          std::ranges::find(settings(), std::string_view(name.scalar), &Setting::name);
      if (setting == settings().end()) {
        mistakes.add(file + ", " + name.where() + ": '" + name.scalar + "' is not a setting");
      } else {
        read_file_setting(base, *setting, value, file, mistakes);
      }
    }
  }
  if (!mistakes.none()) return mistakes.error();
  return base;
}

Result<Outcome> parse(const std::vector<std::string>& arguments, const std::string& hostname) {
  const auto given = read_arguments(arguments);
  if (!given) return std::unexpected(given.error());
  Outcome outcome;
  if (given->contains("help")) outcome.answer = describe();
  if (given->contains("version")) outcome.answer = std::string(version) + "\n";
  if (outcome.answer) return outcome;
  Mistakes mistakes;
  if (given->contains("config")) {
    const auto file = (*given)["config"].as<std::string>();
    const auto text = read_whole(file);
    auto read_config = text ? parse_file(*text, file, outcome.config)
                            : Result<Config>(std::unexpected(text.error()));
    if (read_config) {
      outcome.config = *std::move(read_config);
    } else {
      mistakes.add(read_config.error().what);
    }
  }
  for (const Setting& setting : settings()) {
    const std::string name(setting.name);
    if (!given->contains(name)) continue;
    if (setting.list) clear(outcome.config, setting);
    for (const std::string& text : (*given)[name].as<std::vector<std::string>>()) {
      read(outcome.config, setting, text, "--" + name, mistakes);
    }
  }
  outcome.config.once = given->contains("once");
  if (outcome.config.origin.empty()) outcome.config.origin = "mailwarden/" + hostname;
  if (outcome.config.witness_name.empty()) {
    outcome.config.witness_name = outcome.config.origin + "/witness";
  }
  if (mistakes.none()) check(outcome.config, mistakes);
  if (!mistakes.none()) return mistakes.error();
  return outcome;
}

}  // namespace mailwarden::config
