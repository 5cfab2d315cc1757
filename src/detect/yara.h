// YARA rules, which look at the bytes of a file, an attachment or a message.
//
// What     YaraRules is one compiled set of every .yar and .yara below some folders; a YaraScanner
//          holds bytes or a file against it. A match is a Detection like any other: its id, title,
//          level and facts come from the rule's meta (`id`, `title` or `description`, `level`,
//          `facts` such as "malware=1, hosts_affected=3"), its tags from the rule's tags and the
//          meta `attack`; it is about the resource that the file's path names. Its event and time
//          are the caller's to set.
//          Each file is a namespace of its own, so a global rule rules over its own file alone.
//          Private rules are never reported. `include` is switched off: every file below the folder
//          is loaded anyway, so an included rule would stand twice, and whoever may write into a
//          shared folder of rules could otherwise have the daemon read any file it can.
// Owns     The compiled rules and libyara's initialisation, which is given back with the last set.
//          A scanner keeps its set alive.
// Threads  A set never changes and is shared freely; load() may run beside scans. A scanner is for
//          one thread at a time; since libyara 4.0 a thread leaves nothing behind in it.
// Errors   load(): not_found, denied or io for a folder that cannot be read, full for too much of
//          it. A file that does not compile is refused with every mistake in it, and the others are
//          loaded. A scan: full for a file over bytes_max or a lack of memory, not_found for one
//          that has vanished, denied for one that may not be read, invalid for what is no regular
//          file, unavailable when the time was over or a rule took too much to be decided.
// Limits   YaraRulesOptions, YaraScanOptions. A file is read into memory up to bytes_max and never
//          mapped: whoever truncates a mapped file kills the process that looks at it (SIGBUS), and
//          libyara's own remedy is to swap the whole process's signal handlers for each scan. The
//          time is libyara's, which it looks at between steps; reading a file is not part of it.
//          A rule that counts a string (#a) keeps up to a million of its matches while it scans.
// Source   YARA 4.2, as its documentation "Writing YARA rules" has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "detect/detection.h"

namespace mailwarden::detect {

using YaraVariable = std::variant<bool, std::int64_t, double, std::string>;

struct YaraRulesOptions {
  // External variables beside those that every scan sets: `filename` (the last part of the path),
  // `filepath` (all of it) and `extension` (lower case, with its dot). `filesize` is YARA's own.
  std::map<std::string, YaraVariable> variables;
  // The facts of policies/severity.yaml; one that is not among them is then a mistake.
  std::set<std::string> facts_known;
  std::size_t files_max = 50'000;
  std::size_t file_bytes_max = std::size_t{16} * 1024 * 1024;
};

// Something to be said about a file of rules. `line` is 0 where it is about the file as a whole.
struct YaraNote {
  std::string file;
  std::size_t line = 0;
  std::string what;

  std::string text() const;  // "rules/a.yar, line 3: undefined string "$b""
  bool operator==(const YaraNote&) const = default;
};

// Where a rule came from.
struct YaraOrigin {
  std::string rule;  // its name in the text
  std::string file;
  std::size_t line = 0;
  std::string version;  // SHA-256 of the file's text, in hex

  bool operator==(const YaraOrigin&) const = default;
};

struct YaraRule {
  std::string id;  // meta `id`, else the rule's name
  std::string title;
  Level level = Level::medium;
  std::vector<std::string> tags;
  std::map<std::string, std::int64_t> facts;
  bool reported = true;  // false for a private rule
  YaraOrigin origin;
};

struct YaraLoad;

class YaraRules {
 public:
  struct Compiled;

  // Folders and single files. A set may be empty, which matches nothing.
  static Result<YaraLoad> load(const std::vector<std::string>& paths,
                               const YaraRulesOptions& options = {});

  explicit YaraRules(std::unique_ptr<Compiled> compiled);
  ~YaraRules();
  YaraRules(const YaraRules&) = delete;
  YaraRules& operator=(const YaraRules&) = delete;

  // In the order of files and lines.
  const std::vector<YaraRule>& rules() const;
  const Compiled& compiled() const { return *compiled_; }

 private:
  std::unique_ptr<Compiled> compiled_;
};

struct YaraLoad {
  std::shared_ptr<const YaraRules> rules;
  std::size_t files = 0;           // of which rules were loaded
  std::vector<YaraNote> refused;   // every mistake of every file that was not loaded
  std::vector<YaraNote> warnings;  // about rules that were
};

struct YaraScanOptions {
  Duration timeout = std::chrono::seconds(10);  // of zero or less is over before it begins
  std::size_t bytes_max = std::size_t{64} * 1024 * 1024;
  std::size_t matches_max = 256;
};

struct YaraMatch {
  // `because` has one reason a matched string: its name as `selection`, where it first stood as
  // `field` ("offset 0x1f4"), and at most because_value_max bytes of it, printable, as `value`.
  Detection detection;
  YaraOrigin origin;
};

struct YaraScan {
  std::vector<YaraMatch> matches;
  std::size_t matches_cut = 0;  // how many more rules matched than matches_max
  std::size_t bytes = 0;
  std::string sha256;  // of the bytes, in hex; only where something matched
};

class YaraScanner {
 public:
  static constexpr std::size_t because_value_max = 512;

  // full: where there is no memory for it.
  static Result<YaraScanner> make(std::shared_ptr<const YaraRules> rules,
                                  const YaraScanOptions& options = {});

  YaraScanner(YaraScanner&& other) noexcept;
  YaraScanner& operator=(YaraScanner&& other) noexcept;
  ~YaraScanner();

  // `name` is what rules and detections see as the file's path.
  Result<YaraScan> scan_buffer(std::string_view bytes, const std::string& name);
  // Symbolic links are not followed and nothing but a regular file is opened for long.
  Result<YaraScan> scan_file(const std::string& path);

 private:
  struct State;
  explicit YaraScanner(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace mailwarden::detect
