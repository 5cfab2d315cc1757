#include "vault/key_provider_spec.h"

#include <algorithm>
#include <vector>

#include "base/files.h"
#include "base/parts.h"
#include "base/text.h"
#include "crypto/file_key_provider.h"
#include "crypto/pkcs11_key_provider.h"
#include "json/yaml.h"

namespace mailwarden::vault {
namespace {

using crypto::CommandKeyOptions;
using crypto::KekCommands;
using yaml::Node;

struct Part {
  std::string_view name;
  std::string* value;
};

// Of the parts that this kind has.
Result<void> read_parts(std::string_view text, std::vector<Part> parts) {
  return each_part(text, [&](std::string_view name, std::string_view value) -> Result<void> {
    const auto part = std::ranges::find(parts, name, &Part::name);
    if (part == parts.end()) {
      std::string known;
      for (const Part& one : parts) known += (known.empty() ? "" : ", ") + std::string(one.name);
      return fail(Code::invalid, "'" + std::string(name) + "' is " +
                                     (parts.size() > 1 ? "none of " : "not ") + known);
    }
    if (value.empty()) return fail(Code::invalid, "'" + std::string(name) + "' has no value");
    *part->value = value;
    return {};
  });
}

class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  void add(const Node& at, std::string_view what) {
    what_ += (what_.empty() ? "" : "\n") + file_ + ", " + at.where() + ": " + std::string(what);
  }
  bool none() const { return what_.empty(); }
  std::unexpected<Error> error() { return fail(Code::invalid, std::move(what_)); }

 private:
  std::string file_;
  std::string what_;
};

std::vector<std::string> read_command(const Node& node, const std::string& what,
                                      Mistakes& mistakes) {
  std::vector<std::string> command;
  for (const Node& word : node.items) {
    if (!word.is_scalar()) mistakes.add(word, what + ": expected a word");
    command.push_back(word.scalar);
  }
  if (command.empty() || !command.front().starts_with('/')) {
    mistakes.add(node, what + ": expected a list that begins with a program's whole path");
  }
  return command;
}

void read_version(CommandKeyOptions& options, const Node& name, const Node& node,
                  Mistakes& mistakes) {
  const auto number = to_integer(name.scalar);
  if (!number || *number < 1 || *number > UINT32_MAX) {
    return mistakes.add(name, "'" + name.scalar + "' is not a version's number, counted from 1");
  }
  const std::string version = "version " + name.scalar;
  KekCommands commands;
  for (const auto& [key, value] : node.entries) {
    if (key.scalar != "wrap" && key.scalar != "unwrap") {
      mistakes.add(key, version + ": '" + key.scalar + "' is neither wrap nor unwrap");
      continue;
    }
    auto& command = key.scalar == "wrap" ? commands.wrap : commands.unwrap;
    command = read_command(value, version + ": " + key.scalar, mistakes);
  }
  for (const char* needed : {"wrap", "unwrap"}) {
    if (node.find(needed) == nullptr) {
      mistakes.add(name, version + ": " + needed + ": [/PROGRAM, ARGUMENT] is missing");
    }
  }
  options.versions.emplace(static_cast<std::uint32_t>(*number), std::move(commands));
}

void read_versions(CommandKeyOptions& options, const Node& node, Mistakes& mistakes) {
  if (node.entries.empty() || node.entries.size() > CommandKeyOptions::versions_max) {
    return mistakes.add(node, "versions: expected a map of 1 to " +
                                  std::to_string(CommandKeyOptions::versions_max) +
                                  " versions, such as 1: {wrap: [...], unwrap: [...]}");
  }
  for (const auto& [name, value] : node.entries) read_version(options, name, value, mistakes);
}

void read_answer(CommandKeyOptions& options, const Node& node, Mistakes& mistakes) {
  if (node.scalar != "bytes" && node.scalar != "base64") {
    return mistakes.add(node, "answer: '" + node.scalar + "' is neither bytes nor base64");
  }
  const bool bytes = node.scalar == "bytes";
  options.answer = bytes ? crypto::CommandAnswer::bytes : crypto::CommandAnswer::base64;
}

void read_time_out(CommandKeyOptions& options, const Node& node, Mistakes& mistakes) {
  const auto span = parse_duration(node.scalar);
  if (!span) return mistakes.add(node, "time-out: " + span.error().what);
  if (*span == Duration(0)) return mistakes.add(node, "time-out: must be longer than nothing");
  options.time_out = *span;
}

void read_environment(CommandKeyOptions& options, const Node& node, Mistakes& mistakes) {
  if (!node.is_map()) return mistakes.add(node, "environment: expected a map of NAME: value");
  for (const auto& [name, value] : node.entries) {
    if (name.scalar.empty() || name.scalar.contains('=') || value.is_map() || value.is_sequence()) {
      mistakes.add(name, "environment: expected NAME: value");
    }
    options.environment.push_back(name.scalar + "=" + value.scalar);
  }
}

}  // namespace

Result<KekSpec> parse_kek(std::string_view text) {
  const PartsHead head = parts_head(text);
  const std::string place(head.place.value_or(""));
  KekSpec spec;
  std::vector<Part> parts{{"name", &spec.name}};
  if (head.kind == "file") {
    spec.place = FileKek{.path = place};
  } else if (head.kind == "pkcs11") {
    auto& token = spec.place.emplace<TokenKek>(TokenKek{.module = place});
    parts.insert(parts.begin(),
                 {{"token", &token.token}, {"pin", &token.pin_file}, {"key", &token.key_label}});
  } else if (head.kind == "command") {
    spec.place = CommandKek{.file = place};
  } else {
    return fail(Code::invalid, "'" + std::string(text.substr(0, text.find(','))) +
                                   "' keeps no key-encryption key; expected file:PATH, "
                                   "pkcs11:MODULE,token=LABEL,pin=FILE or command:FILE.yaml");
  }
  if (place.empty()) {
    return fail(Code::invalid, "'" + std::string(head.kind) + ":' names no place");
  }
  if (auto done = read_parts(text, std::move(parts)); !done) return std::unexpected(done.error());
  const auto* token = std::get_if<TokenKek>(&spec.place);
  if (token != nullptr && token->token.empty()) {
    return fail(Code::invalid, "'pkcs11' needs ,token=LABEL, which names the token");
  }
  if (token != nullptr && token->pin_file.empty()) {
    return fail(Code::invalid, "'pkcs11' needs ,pin=FILE, which holds the token's PIN");
  }
  return spec;
}

Result<CommandKeyOptions> parse_kek_commands(std::string_view text, const std::string& file) {
  const auto documents = yaml::parse(text);
  if (!documents) return fail(file, documents.error());
  if (documents->size() != 1 || !documents->front().is_map()) {
    return fail(Code::invalid, file +
                                   ": expected one map of answer, time-out, environment and "
                                   "versions");
  }
  const Node& document = documents->front();
  CommandKeyOptions options;
  Mistakes mistakes(file);
  for (const auto& [name, value] : document.entries) {
    if (name.scalar == "answer") {
      read_answer(options, value, mistakes);
    } else if (name.scalar == "time-out") {
      read_time_out(options, value, mistakes);
    } else if (name.scalar == "environment") {
      read_environment(options, value, mistakes);
    } else if (name.scalar == "versions") {
      read_versions(options, value, mistakes);
    } else {
      mistakes.add(name,
                   "'" + name.scalar + "' is none of answer, time-out, environment, versions");
    }
  }
  if (document.find("versions") == nullptr) {
    mistakes.add(document, "versions: with the commands of each version is missing");
  }
  if (!mistakes.none()) return mistakes.error();
  return options;
}

namespace {

Result<CommandKeyOptions> read_commands(const CommandKek& command, const std::string& name) {
  const auto text = read_whole_file(command.file, commands_bytes_max);
  if (!text) return std::unexpected(text.error());
  auto options = parse_kek_commands(*text, command.file);
  if (options) options->name = name;
  return options;
}

}  // namespace

Result<void> check_kek(const KekSpec& spec) {
  const auto* command = std::get_if<CommandKek>(&spec.place);
  if (command == nullptr) return {};
  const auto options = read_commands(*command, spec.name);
  if (!options) return std::unexpected(options.error());
  return {};
}

Result<std::unique_ptr<crypto::KeyProvider>> make_provider(const KekSpec& spec, Entropy& entropy,
                                                           crypto::KeyProvider::Listener listener) {
  using Made = Result<std::unique_ptr<crypto::KeyProvider>>;
  if (const auto* file = std::get_if<FileKek>(&spec.place)) {
    return std::make_unique<crypto::FileKeyProvider>(file->path, spec.name, std::move(listener));
  }
  if (const auto* token = std::get_if<TokenKek>(&spec.place)) {
    const crypto::Pkcs11Options options{.module = token->module,
                                        .token = token->token,
                                        .pin_file = token->pin_file,
                                        .key_label = token->key_label,
                                        .name = spec.name};
    return std::make_unique<crypto::Pkcs11KeyProvider>(options, entropy, std::move(listener));
  }
  auto options = read_commands(std::get<CommandKek>(spec.place), spec.name);
  if (!options) return std::unexpected(options.error());
  auto made = crypto::CommandKeyProvider::make(*std::move(options), std::move(listener));
  if (!made) return std::unexpected(made.error());
  return Made(*std::move(made));
}

}  // namespace mailwarden::vault
