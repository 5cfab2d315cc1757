#include "detect/yara_examples.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "base/files.h"
#include "base/text.h"
#include "json/base64.h"
#include "json/yaml.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;

void append_little(std::string& out, std::uint32_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
}

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFF'FFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xEDB8'8320 & (0 - (crc & 1)));
  }
  return ~crc;
}

struct Member {
  std::string file;
  std::string bytes;
  bool encrypted = false;
};

// Fields that the local header and the central directory of a ZIP have alike.
void append_member(std::string& out, const Member& member) {
  append_little(out, 20, 2);
  append_little(out, member.encrypted ? 1 : 0, 2);
  append_little(out, 0, 2);  // stored
  append_little(out, 0x5B780000, 4);
  append_little(out, crc32(member.bytes), 4);
  append_little(out, static_cast<std::uint32_t>(member.bytes.size()), 4);
  append_little(out, static_cast<std::uint32_t>(member.bytes.size()), 4);
  append_little(out, static_cast<std::uint32_t>(member.file.size()), 2);
  append_little(out, 0, 2);
}

std::string make_zip(const std::vector<Member>& members) {
  std::string out;
  std::string directory;
  for (const Member& member : members) {
    const auto offset = static_cast<std::uint32_t>(out.size());
    out += "PK\x03\x04";
    append_member(out, member);
    out += member.file + member.bytes;
    directory += "PK\x01\x02";
    append_little(directory, 20, 2);
    append_member(directory, member);
    directory.append(10, '\0');
    append_little(directory, offset, 4);
    directory += member.file;
  }
  const auto begin = static_cast<std::uint32_t>(out.size());
  out += directory;
  out += "PK\x05\x06";
  append_little(out, 0, 4);
  append_little(out, static_cast<std::uint32_t>(members.size()), 2);
  append_little(out, static_cast<std::uint32_t>(members.size()), 2);
  append_little(out, static_cast<std::uint32_t>(directory.size()), 4);
  append_little(out, begin, 4);
  append_little(out, 0, 2);
  return out;
}

int digit_of(char c) {
  const char lower = to_lower(c);
  return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Result<std::string> from_hex(std::string_view text) {
  std::string out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const int digit = digit_of(c);
    if (digit < 0) return fail(Code::invalid, "expected hex digits and blanks");
    if (high >= 0) out += static_cast<char>(high << 4 | digit);
    high = high >= 0 ? -1 : digit;
  }
  if (high >= 0) return fail(Code::invalid, "a hex digit has no other");
  return out;
}

std::string to_utf16(std::string_view ascii, bool big) {
  std::string out;
  for (const char c : ascii) {
    if (big) out += '\0';
    out += c;
    if (!big) out += '\0';
  }
  return out;
}

std::int64_t number_of(const Node* node, std::int64_t otherwise) {
  if (node == nullptr) return otherwise;
  if (node->scalar.starts_with("0x")) {
    std::int64_t number = 0;
    for (const char c : node->scalar.substr(2)) {
      if (digit_of(c) < 0 || number > 0xFFFF'FFFF) return -1;
      number = number * 16 + digit_of(c);
    }
    return number;
  }
  return to_integer(node->scalar).value_or(-1);
}

constexpr std::array<std::string_view, 7> content_kinds{"text",   "utf16le", "utf16be", "hex",
                                                        "base64", "zip",     "parts"};

class SampleMaker {
 public:
  explicit SampleMaker(std::string file) : file_(std::move(file)) {}

  std::string where(const Node& node) const { return file_ + ", " + node.where(); }

  Result<std::string> bytes(const Node& node, std::size_t before = 0) const {
    const Node* content = nullptr;
    std::string_view kind;
    for (const std::string_view name : content_kinds) {
      const Node* const found = node.find(name);
      if (found != nullptr && content != nullptr) return wrong(*found, "its bytes stand twice");
      if (found != nullptr) kind = name;
      if (found != nullptr) content = found;
    }
    if (content == nullptr) {
      return wrong(node, "expected text, utf16le, utf16be, hex, base64, zip or parts");
    }
    const std::int64_t at = number_of(node.find("at"), static_cast<std::int64_t>(before));
    const std::int64_t repeat = number_of(node.find("repeat"), 1);
    constexpr auto limit = static_cast<std::int64_t>(sample_bytes_max);
    if (at < static_cast<std::int64_t>(before) || at > limit) {
      return wrong(node, "'at' is behind what stands already, or too far");
    }
    if (repeat < 0 || repeat > limit) return wrong(node, "'repeat' is how often, and not so often");
    auto once = content_of(kind, *content);
    if (!once) return once;
    if (once->size() * static_cast<std::size_t>(repeat) > sample_bytes_max) {
      return wrong(node, "a sample is too large");
    }
    std::string out(static_cast<std::size_t>(at) - before, '\0');
    for (std::int64_t i = 0; i < repeat; ++i) out += *once;
    return out;
  }

 private:
  std::unexpected<Error> wrong(const Node& node, const std::string& what) const {
    return fail(Code::invalid, where(node) + ": " + what);
  }

  Result<std::string> content_of(std::string_view kind, const Node& content) const {
    if (kind == "zip" || kind == "parts") {
      if (!content.is_sequence()) return wrong(content, std::string(kind) + " is a list");
      return kind == "zip" ? zip(content) : parts(content);
    }
    if (!content.is_scalar()) return wrong(content, std::string(kind) + " is a text");
    if (kind == "utf16le" || kind == "utf16be") return to_utf16(content.scalar, kind == "utf16be");
    if (kind == "text") return content.scalar;
    auto bytes = kind == "hex" ? from_hex(content.scalar) : json::from_base64(content.scalar);
    if (!bytes) return wrong(content, bytes.error().what);
    return bytes;
  }

  Result<std::string> zip(const Node& list) const {
    std::vector<Member> members;
    for (const Node& item : list.items) {
      const Node* const file = item.find("file");
      const Node* const encrypted = item.find("encrypted");
      if (file == nullptr || !file->is_scalar()) return wrong(item, "a member needs 'file'");
      auto held = bytes(item);
      if (!held) return held;
      members.push_back(
          {file->scalar, *std::move(held), encrypted != nullptr && yaml::is_true(*encrypted)});
    }
    return make_zip(members);
  }

  Result<std::string> parts(const Node& list) const {
    std::string out;
    for (const Node& item : list.items) {
      auto held = bytes(item, out.size());
      if (!held) return held;
      out += *held;
      if (out.size() > sample_bytes_max) return wrong(item, "a sample is too large");
    }
    return out;
  }

  std::string file_;
};

std::string text_of(const Node& node, std::string_view name, std::string_view otherwise = {}) {
  const Node* const found = node.find(name);
  return std::string(found == nullptr ? otherwise : std::string_view(found->scalar));
}

struct SeenSamples {
  bool match = false;
  bool no_match = false;
};

class SampleRunner {
 public:
  SampleRunner(std::vector<const YaraRule*> rules, YaraScanner& scanner, YaraTests& tests)
      : rules_(std::move(rules)), scanner_(scanner), tests_(tests) {}

  Result<void> run(const std::vector<YaraSample>& samples) {
    std::map<const YaraRule*, SeenSamples> seen;
    for (const YaraSample& sample : samples) {
      const auto rule = std::ranges::find_if(rules_, [&](const YaraRule* one) {
        return one->id == sample.rule || one->origin.rule == sample.rule;
      });
      if (rule == rules_.end()) {
        return fail(Code::invalid,
                    sample.where + ": there is no rule '" + sample.rule + "' beside it");
      }
      auto done = run(sample, **rule);
      if (!done) return done;
      (sample.expect == "match" ? seen[*rule].match : seen[*rule].no_match) = true;
    }
    for (const YaraRule* const rule : rules_) {
      if (!rule->reported) continue;
      const std::string who =
          rule->origin.file + ": '" + rule->origin.rule + "' has no sample that ";
      if (!seen[rule].match) tests_.failures.push_back(who + "matches");
      if (!seen[rule].no_match) tests_.failures.push_back(who + "does not match");
    }
    return {};
  }

 private:
  Result<void> run(const YaraSample& sample, const YaraRule& rule) {
    const auto scan = scanner_.scan_buffer(sample.bytes, sample.path);
    if (!scan) return fail(sample.where, scan.error());
    ++tests_.samples;
    const bool matched = std::ranges::any_of(
        scan->matches, [&](const YaraMatch& match) { return match.origin == rule.origin; });
    const std::string who = sample.where + ": '" + sample.name + "' should ";
    if (matched != (sample.expect == "match")) {
      tests_.failures.push_back(who + (matched ? "not match '" : "match '") + rule.origin.rule +
                                "'");
    } else if (sample.expect == "nothing" && !scan->matches.empty()) {
      tests_.failures.push_back(who + "match nothing, and matches '" +
                                scan->matches.front().origin.rule + "'");
    }
    return {};
  }

  std::vector<const YaraRule*> rules_;
  YaraScanner& scanner_;
  YaraTests& tests_;
};

}  // namespace

Result<std::vector<YaraSample>> parse_yara_samples(std::string_view text, const std::string& file) {
  const auto documents = yaml::parse(text);
  if (!documents) return fail(file, documents.error());
  const SampleMaker maker(file);
  std::vector<YaraSample> samples;
  for (const Node& document : *documents) {
    if (!document.is_sequence()) return fail(Code::invalid, file + ": expected a list of samples");
    for (const Node& item : document.items) {
      YaraSample sample{.name = text_of(item, "name"),
                        .rule = text_of(item, "rule"),
                        .expect = text_of(item, "expect"),
                        .path = text_of(item, "path", "sample"),
                        .bytes = {},
                        .where = maker.where(item)};
      const bool known =
          sample.expect == "match" || sample.expect == "no match" || sample.expect == "nothing";
      if (sample.name.empty() || sample.rule.empty() || !known) {
        return fail(Code::invalid, sample.where +
                                       ": a sample needs 'name', 'rule' and 'expect', which is "
                                       "match, no match or nothing");
      }
      auto bytes = maker.bytes(item);
      if (!bytes) return std::unexpected(bytes.error());
      sample.bytes = *std::move(bytes);
      samples.push_back(std::move(sample));
    }
  }
  return samples;
}

Result<YaraTests> test_yara_rules(const std::vector<std::string>& paths,
                                  const YaraRulesOptions& options) {
  const auto load = YaraRules::load(paths, options);
  if (!load) return std::unexpected(load.error());
  auto scanner = YaraScanner::make(load->rules);
  if (!scanner) return std::unexpected(scanner.error());
  YaraTests tests;
  for (const YaraNote& note : load->refused) tests.failures.push_back(note.text());
  for (const YaraNote& note : load->warnings) tests.failures.push_back(note.text());
  std::map<std::string, std::vector<const YaraRule*>> by_file;
  for (const YaraRule& rule : load->rules->rules()) by_file[rule.origin.file].push_back(&rule);
  for (auto& [file, rules] : by_file) {
    tests.rules += std::ranges::count_if(rules, [](const YaraRule* one) { return one->reported; });
    const std::string beside = std::filesystem::path(file).replace_extension(".test.yml").string();
    if (!std::filesystem::exists(beside)) {
      tests.failures.push_back(file + ": no samples stand beside it (" + beside + ")");
      continue;
    }
    const auto text = read_whole_file(beside);
    if (!text) return std::unexpected(text.error());
    const auto samples = parse_yara_samples(*text, beside);
    if (!samples) return std::unexpected(samples.error());
    if (auto done = SampleRunner(std::move(rules), *scanner, tests).run(*samples); !done) {
      return std::unexpected(done.error());
    }
  }
  return tests;
}

}  // namespace mailwarden::detect
