#include "detect/yara.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

#include <yara.h>

#include "base/check.h"
#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "detect/yara_files.h"
#include "detect/yara_text.h"

namespace mailwarden::detect {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mistakes_max = 50;  // told of one file

// libyara counts how often it was initialised, but in a plain integer. The mutex guards that
// integer, which is libyara's global and cannot be anybody's member.
class Library {
 public:
  Library() {
    const std::scoped_lock lock(guard());
    CHECK(yr_initialize() == ERROR_SUCCESS);
  }
  ~Library() {
    const std::scoped_lock lock(guard());
    yr_finalize();
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

 private:
  static std::mutex& guard() {
    static std::mutex mutex;
    return mutex;
  }
};

struct Destroy {
  void operator()(YR_COMPILER* compiler) const { yr_compiler_destroy(compiler); }
  void operator()(YR_RULES* rules) const { yr_rules_destroy(rules); }
  void operator()(YR_SCANNER* scanner) const { yr_scanner_destroy(scanner); }
};
using Compiler = std::unique_ptr<YR_COMPILER, Destroy>;
using Rules = std::unique_ptr<YR_RULES, Destroy>;

// What the compiler says about one file.
struct Said {
  std::string file;
  std::vector<YaraNote> mistakes;
  std::vector<YaraNote> warnings;
};

void on_message(int level, const char* /*file*/, int line, const YR_RULE* rule, const char* message,
                void* data) {
  auto& said = *static_cast<Said*>(data);
  auto& notes = level == YARA_ERROR_LEVEL_ERROR ? said.mistakes : said.warnings;
  if (notes.size() == mistakes_max) return;
  std::string what = to_utf8(message);
  if (rule != nullptr && rule->identifier != nullptr) {
    what = "the rule '" + std::string(rule->identifier) + "': " + what;
  }
  notes.push_back({said.file, static_cast<std::size_t>(std::max(line, 0)), std::move(what)});
}

int define(YR_COMPILER* compiler, const char* name, const YaraVariable& value) {
  if (const auto* truth = std::get_if<bool>(&value)) {
    return yr_compiler_define_boolean_variable(compiler, name, *truth ? 1 : 0);
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return yr_compiler_define_integer_variable(compiler, name, *number);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return yr_compiler_define_float_variable(compiler, name, *number);
  }
  return yr_compiler_define_string_variable(compiler, name, std::get<std::string>(value).c_str());
}

Result<Compiler> make_compiler(const YaraRulesOptions& options) {
  YR_COMPILER* made = nullptr;
  if (yr_compiler_create(&made) != ERROR_SUCCESS) {
    return fail(Code::full, "there is no memory to compile YARA rules");
  }
  Compiler compiler(made);
  yr_compiler_set_include_callback(made, nullptr, nullptr, nullptr);
  for (const char* name : {"filename", "filepath", "extension"}) define(made, name, std::string());
  for (const auto& [name, value] : options.variables) {
    if (define(made, name.c_str(), value) != ERROR_SUCCESS) {
      return fail(Code::invalid, "the variable '" + name + "' cannot be given to YARA rules");
    }
  }
  return compiler;
}

// The compiler knows its callback from here on; `said` outlives the call alone.
int add(YR_COMPILER* compiler, const YaraSource& source, Said& said) {
  yr_compiler_set_callback(compiler, on_message, &said);
  return yr_compiler_add_string(compiler, source.text.c_str(), source.name.c_str());
}

// A name that stands twice in a file: libyara says so as well, but not where the other one is.
void tell_duplicates(const YaraSource& source, Said& said) {
  std::map<std::string_view, std::size_t> first;
  for (const RulePlace& place : source.places) {
    const auto [at, added] = first.emplace(place.name, place.line);
    if (added) continue;
    const std::string name(place.name);
    const std::string theirs = "duplicated identifier \"" + name + "\"";
    std::erase_if(said.mistakes, [&](const YaraNote& note) { return note.what.contains(theirs); });
    said.mistakes.push_back(
        {said.file, place.line,
         "the rule '" + name + "' stands twice, first at line " + std::to_string(at->second)});
  }
}

void add_tag(std::vector<std::string>& tags, std::string tag) {
  if (tag.empty() || std::ranges::find(tags, tag) != tags.end()) return;
  tags.push_back(std::move(tag));
}

class RuleReader {
 public:
  RuleReader(const YaraRulesOptions& options, Said& said) : options_(options), said_(said) {}

  YaraRule read(const YR_RULE* from, YaraOrigin origin) {
    rule_ = {.reported = !RULE_IS_PRIVATE(from), .origin = std::move(origin)};
    std::string description;
    const char* tag = nullptr;
    yr_rule_tags_foreach(from, tag) add_tag(rule_.tags, tag);
    const YR_META* meta = nullptr;
    yr_rule_metas_foreach(from, meta) {
      const std::string name = meta->identifier;
      const std::string text = meta->type == META_TYPE_STRING ? to_utf8(meta->string) : "";
      if (name == "id" && rule_.id.empty()) rule_.id = text;
      if (name == "title" && rule_.title.empty()) rule_.title = text;
      if (name == "description" && description.empty()) description = text;
      if (name == "level") read_level(text);
      if (name == "facts") read_facts(text);
      if (name == "attack") read_attack(text);
    }
    if (rule_.id.empty()) rule_.id = rule_.origin.rule;
    if (rule_.title.empty()) rule_.title = description;
    if (rule_.title.empty()) rule_.title = rule_.origin.rule;
    return std::move(rule_);
  }

 private:
  YaraNote note(const std::string& what) const {
    return {rule_.origin.file, rule_.origin.line, "the rule '" + rule_.origin.rule + "': " + what};
  }

  void read_level(const std::string& text) {
    if (const auto level = parse_level(text)) {
      rule_.level = *level;
      return;
    }
    said_.warnings.push_back(note("the level '" + printable(text) +
                                  "' is none of informational, low, medium, high and critical, so "
                                  "it is taken for medium"));
  }

  void read_facts(const std::string& text) {
    auto facts = parse_facts(text);
    if (!facts) return said_.mistakes.push_back(note(facts.error().what));
    for (const auto& [name, worth] : *facts) {
      if (!options_.facts_known.empty() && !options_.facts_known.contains(name)) {
        said_.mistakes.push_back(note("the policies know no fact '" + name + "'"));
      }
    }
    rule_.facts = *std::move(facts);
  }

  // As Sigma writes it, so that both kinds of rules count as the same technique.
  void read_attack(const std::string& text) {
    for (const std::string_view one : split(text, ',')) {
      const std::string name = to_lower(trim(one));
      if (!name.empty()) add_tag(rule_.tags, "attack." + name);
    }
  }

  const YaraRulesOptions& options_;
  Said& said_;
  YaraRule rule_;
};

Result<Rules> rules_of(YR_COMPILER* compiler) {
  YR_RULES* made = nullptr;
  if (yr_compiler_get_rules(compiler, &made) != ERROR_SUCCESS) {
    return fail(Code::full, "there is no memory for the compiled YARA rules");
  }
  return Rules(made);
}

// Compiles a file alone, since a compiler that has seen a mistake is of no use for the next file.
Result<std::vector<YaraRule>> examine(const YaraSource& source, const YaraRulesOptions& options,
                                      Said& said) {
  std::vector<YaraRule> rules;
  if (source.text.contains('\0')) {
    said.mistakes.push_back({said.file, 0, "it holds a zero byte and is no text"});
    return rules;
  }
  auto compiler = make_compiler(options);
  if (!compiler) return std::unexpected(compiler.error());
  const int errors = add(compiler->get(), source, said);
  tell_duplicates(source, said);
  if (errors != 0 && said.mistakes.empty()) {
    said.mistakes.push_back({said.file, 0, "libyara does not compile it and does not say why"});
  }
  if (errors != 0) return rules;
  const auto compiled = rules_of(compiler->get());
  if (!compiled) return std::unexpected(compiled.error());
  const std::string version = crypto::to_hex(crypto::sha256(source.text));
  RuleReader reader(options, said);
  const YR_RULE* rule = nullptr;
  yr_rules_foreach(compiled->get(), rule) {
    const auto place = std::ranges::find(source.places, rule->identifier, &RulePlace::name);
    const std::size_t line = place == source.places.end() ? 0 : place->line;
    rules.push_back(reader.read(rule, {rule->identifier, source.path, line, version}));
  }
  return rules;
}

// Names and ids that stand in two files: both rules hold, but whoever reads a detection may take
// one for the other.
void tell_namesakes(const std::vector<YaraRule>& rules, std::vector<YaraNote>& warnings) {
  std::map<std::string_view, const YaraRule*> names;
  std::map<std::string_view, const YaraRule*> ids;
  auto tell = [&](const YaraRule& rule, const YaraRule& first, const std::string& what) {
    warnings.push_back({rule.origin.file, rule.origin.line,
                        what + " stands twice, first in " + first.origin.file + ", line " +
                            std::to_string(first.origin.line)});
  };
  for (const YaraRule& rule : rules) {
    const auto name = names.emplace(rule.origin.rule, &rule);
    const auto id = ids.emplace(rule.id, &rule);
    if (!name.second) tell(rule, *name.first->second, "the rule '" + rule.origin.rule + "'");
    if (name.second && !id.second) tell(rule, *id.first->second, "the id '" + rule.id + "'");
  }
}

}  // namespace

struct YaraRules::Compiled {
  std::unique_ptr<Library> library;  // first, so that it goes last
  Rules rules;
  std::vector<YaraRule> all;  // by the index of the rule in `rules`
};

std::string YaraNote::text() const {
  return file + (line == 0 ? ": " : ", line " + std::to_string(line) + ": ") + what;
}

YaraRules::YaraRules(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
YaraRules::~YaraRules() = default;

const std::vector<YaraRule>& YaraRules::rules() const {
  return compiled_->all;
}

Result<YaraLoad> YaraRules::load(const std::vector<std::string>& paths,
                                 const YaraRulesOptions& options) {
  auto compiled = std::make_unique<Compiled>();
  compiled->library = std::make_unique<Library>();
  YaraLoad load;
  const auto sources = read_yara_files(paths, options, load.refused);
  if (!sources) return std::unexpected(sources.error());
  auto compiler = make_compiler(options);
  if (!compiler) return std::unexpected(compiler.error());
  for (const YaraSource& source : *sources) {
    Said said{.file = source.path, .mistakes = {}, .warnings = {}};
    auto rules = examine(source, options, said);
    if (!rules) return std::unexpected(rules.error());
    if (!said.mistakes.empty()) {
      load.refused.insert(load.refused.end(), said.mistakes.begin(), said.mistakes.end());
      continue;
    }
    load.warnings.insert(load.warnings.end(), said.warnings.begin(), said.warnings.end());
    // It has compiled alone, and nothing of another file is visible in its namespace.
    if (add(compiler->get(), source, said) != 0) {
      return fail(Code::full, source.path + ": there is no room for it in the set of rules");
    }
    ++load.files;
    std::ranges::move(*rules, std::back_inserter(compiled->all));
  }
  auto set = rules_of(compiler->get());
  if (!set) return std::unexpected(set.error());
  compiled->rules = *std::move(set);
  CHECK(compiled->rules->num_rules == compiled->all.size());
  tell_namesakes(compiled->all, load.warnings);
  load.rules = std::make_shared<const YaraRules>(std::move(compiled));
  return load;
}

namespace {

// At most because_value_max bytes, cut between the bytes that were matched.
std::string shown(const YR_MATCH& match) {
  std::string_view bytes(reinterpret_cast<const char*>(match.data),
                         static_cast<std::size_t>(std::max(match.data_length, 0)));
  bytes = bytes.substr(0, YaraScanner::because_value_max);
  std::string text = printable(bytes);
  while (text.size() > YaraScanner::because_value_max) {
    // A byte takes four at most, so this never cuts more than is too much but for the last ones.
    const std::size_t over = text.size() - YaraScanner::because_value_max;
    bytes.remove_suffix(std::max<std::size_t>(1, over / 4));
    text = printable(bytes);
  }
  return text;
}

std::string offset_of(const YR_MATCH& match) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), match.base + match.offset, 16);
  return "offset 0x" + std::string(digits.begin(), end.ptr);
}

// libyara lays matches behind bytes of any number, so they are not aligned and have to be copied.
std::optional<YR_MATCH> first_match(const YR_SCAN_CONTEXT* context, const YR_STRING& string) {
  const void* const head = context->matches[string.idx].head;
  if (head == nullptr) return std::nullopt;
  YR_MATCH match;
  std::memcpy(&match, head, sizeof match);
  return match;
}

std::vector<Because> reasons(const YR_SCAN_CONTEXT* context, const YR_RULE* rule) {
  std::vector<Because> because;
  const YR_STRING* string = nullptr;
  yr_rule_strings_foreach(rule, string) {
    if (because.size() == Detection::because_max) break;
    const auto match = first_match(context, *string);
    if (!match || match->is_private) continue;
    because.push_back({string->identifier, offset_of(*match), shown(*match)});
  }
  return because;
}

struct Gathering {
  const std::vector<YaraRule>& rules;
  const YR_RULE* first;  // rules[i] describes first[i]
  std::size_t matches_max;
  std::string resource;
  YaraScan scan;
};

int on_scan(YR_SCAN_CONTEXT* context, int message, void* what, void* data) {
  auto& gathering = *static_cast<Gathering*>(data);
  // A string with a million matches has enough of them: libyara stops to look for it and goes on.
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  if (gathering.scan.matches.size() == gathering.matches_max) {
    ++gathering.scan.matches_cut;
    return CALLBACK_CONTINUE;
  }
  const auto* matched = static_cast<const YR_RULE*>(what);
  const YaraRule& rule = gathering.rules[static_cast<std::size_t>(matched - gathering.first)];
  YaraMatch& match = gathering.scan.matches.emplace_back();
  match.origin = rule.origin;
  match.detection.rule_id = rule.id;
  match.detection.title = rule.title;
  match.detection.level = rule.level;
  match.detection.tags = rule.tags;
  match.detection.facts = rule.facts;
  match.detection.entity = {"resource", gathering.resource};
  match.detection.because = reasons(context, matched);
  return CALLBACK_CONTINUE;
}

std::unexpected<Error> gave_up(int error, YR_SCANNER* scanner, const std::string& name,
                               Duration timeout) {
  if (error == ERROR_SCAN_TIMEOUT) {
    return fail(Code::unavailable, name + ": not scanned to its end within " + to_words(timeout));
  }
  if (error == ERROR_INSUFFICIENT_MEMORY) {
    return fail(Code::full, name + ": there is no memory to scan it");
  }
  const YR_RULE* const rule = yr_scanner_last_error_rule(scanner);
  return fail(Code::unavailable,
              name + ": not scanned to its end; libyara gave up with error " +
                  std::to_string(error) +
                  (rule == nullptr ? "" : " in the rule '" + std::string(rule->identifier) + "'"));
}

}  // namespace

struct YaraScanner::State {
  std::shared_ptr<const YaraRules> rules;  // first, so that it outlives the scanner
  YaraScanOptions options;
  std::unique_ptr<YR_SCANNER, Destroy> scanner;
};

YaraScanner::YaraScanner(std::unique_ptr<State> state) : state_(std::move(state)) {}
YaraScanner::YaraScanner(YaraScanner&& other) noexcept = default;
YaraScanner& YaraScanner::operator=(YaraScanner&& other) noexcept = default;
YaraScanner::~YaraScanner() = default;

Result<YaraScanner> YaraScanner::make(std::shared_ptr<const YaraRules> rules,
                                      const YaraScanOptions& options) {
  YR_SCANNER* made = nullptr;
  if (yr_scanner_create(rules->compiled().rules.get(), &made) != ERROR_SUCCESS) {
    return fail(Code::full, "there is no memory for a scanner of YARA rules");
  }
  auto state = std::make_unique<State>(std::move(rules), options,
                                       std::unique_ptr<YR_SCANNER, Destroy>(made));
  // Fast mode keeps one match of a string that no condition counts, which is all that is told of
  // it; without it a file could fill the memory with matches. The bytes are in memory of ours, so
  // that there is no reason to let libyara swap the process's signal handlers.
  yr_scanner_set_flags(
      made, SCAN_FLAGS_FAST_MODE | SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
  // The function for it takes whole seconds; the member is part of the header and in nanoseconds.
  made->timeout = static_cast<std::uint64_t>(std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::nanoseconds>(options.timeout).count()));
  return YaraScanner(std::move(state));
}

Result<YaraScan> YaraScanner::scan_buffer(std::string_view bytes, const std::string& name) {
  YR_SCANNER* const scanner = state_->scanner.get();
  const YaraScanOptions& options = state_->options;
  if (bytes.size() > options.bytes_max) {
    return fail(Code::full, name + ": larger than " + std::to_string(options.bytes_max) + " bytes");
  }
  if (options.timeout <= Duration(0)) {
    return gave_up(ERROR_SCAN_TIMEOUT, scanner, name, options.timeout);
  }
  const fs::path path(name);
  const std::pair<const char*, std::string> variables[] = {
      {"filename", path.filename().string()},
      {"filepath", name},
      {"extension", to_lower(path.extension().string())}};
  for (const auto& [variable, value] : variables) {
    if (yr_scanner_define_string_variable(scanner, variable, value.c_str()) != ERROR_SUCCESS) {
      return gave_up(ERROR_INSUFFICIENT_MEMORY, scanner, name, options.timeout);
    }
  }
  const YaraRules::Compiled& compiled = state_->rules->compiled();
  Gathering gathering{.rules = compiled.all,
                      .first = compiled.rules->rules_table,
                      .matches_max = options.matches_max,
                      .resource = is_utf8(name) ? name : printable(name),
                      .scan = {}};
  yr_scanner_set_callback(scanner, on_scan, &gathering);
  const int error = yr_scanner_scan_mem(
      scanner, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (error != ERROR_SUCCESS) return gave_up(error, scanner, name, options.timeout);
  gathering.scan.bytes = bytes.size();
  if (!gathering.scan.matches.empty()) {
    gathering.scan.sha256 = crypto::to_hex(crypto::sha256(bytes));
  }
  return std::move(gathering.scan);
}

Result<YaraScan> YaraScanner::scan_file(const std::string& path) {
  const auto bytes = read_regular_file(path, state_->options.bytes_max);
  if (!bytes) return std::unexpected(bytes.error());
  return scan_buffer(*bytes, path);
}

}  // namespace mailwarden::detect
