// The command that holds files against YARA rules.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <thread>

#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "daemon/cli/command.h"
#include "detect/detection_table.h"
#include "detect/yara.h"
#include "detect/yara_examples.h"

namespace mailwarden::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t shown_max = 100'000;  // matches that are printed; all are counted
constexpr std::int64_t threads_max = 256;
constexpr std::string_view shipped_rules = "/usr/share/mailwarden/rules/yara";
constexpr const char* scan_synopsis =
    "scan PATH... [OPTION]...\n"
    "       mailwarden scan --check DIR | --test DIR\n"
    "Holds files, and all files below folders, against YARA rules; PATH - is standard input.\n"
    "A symbolic link is followed where PATH is one, and not inside a folder; devices, pipes and\n"
    "sockets are skipped and told.\n\n"
    "Exit codes: 0 nothing matched, 1 something did, 2 usage, 3 nothing matched, but something\n"
    "could not be read or a file of rules was refused; each is a sentence on standard error";

struct Target {
  std::string path;
  std::string shown;
};

struct Targets {
  std::vector<Target> files;
  std::vector<std::string> failures;
  std::vector<std::string> skipped;
  std::size_t links = 0;
};

struct Match {
  std::string file;
  std::string sha256;
  std::size_t bytes = 0;
  detect::YaraMatch match;
};

struct Summary {
  std::size_t files = 0;    // read to their end
  std::size_t bytes = 0;    // of those
  std::size_t matched = 0;  // files in which something matched
  std::size_t matches = 0;
};

struct Findings {
  std::vector<Match> matches;  // in the order of the files
  std::vector<std::string> failures;
  Summary summary;
};

// Folders are walked by hand, so that one that may not be entered is told and the walk goes on.
void walk(const std::string& path, Targets& targets) {
  std::vector<fs::path> folders{path};
  while (!folders.empty()) {
    const fs::path folder = std::move(folders.back());
    folders.pop_back();
    std::error_code failed;
    std::vector<fs::path> below;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
      const fs::file_status status = at->symlink_status(failed);
      if (failed) break;
      if (fs::is_directory(status)) {
        below.push_back(at->path());
      } else if (fs::is_symlink(status)) {
        ++targets.links;
      } else if (fs::is_regular_file(status)) {
        targets.files.push_back({at->path().string(), at->path().string()});
      } else {
        targets.skipped.push_back(at->path().string() + ": not a regular file; skipped");
      }
    }
    if (failed) targets.failures.push_back(folder.string() + ": " + failed.message());
    folders.insert(folders.end(), below.begin(), below.end());
  }
}

Targets find_targets(const std::vector<std::string>& paths) {
  Targets targets;
  for (const std::string& path : paths) {
    std::error_code failed;
    if (path == "-") {
      targets.files.push_back({path, "-"});
    } else if (fs::is_directory(path, failed)) {
      walk(path, targets);
    } else if (fs::is_symlink(path, failed)) {
      const fs::path real = fs::canonical(path, failed);
      targets.files.push_back({failed ? path : real.string(), path});
    } else {
      targets.files.push_back({path, path});
    }
  }
  // Each once, however often it was named, and in an order that does not hang on the file system.
  std::ranges::sort(targets.files, {}, &Target::shown);
  const auto again = std::ranges::unique(targets.files, {}, &Target::shown);
  targets.files.erase(again.begin(), again.end());
  std::ranges::sort(targets.failures);
  std::ranges::sort(targets.skipped);
  return targets;
}

// Threads take the next file each; what they find is put in order when all are done.
class Scan {
 public:
  Scan(std::shared_ptr<const detect::YaraRules> rules, const detect::YaraScanOptions& options,
       const std::vector<Target>& files)
      : rules_(std::move(rules)), options_(options), files_(files), progress_(::isatty(2) != 0) {}

  Result<Findings> run(std::size_t threads) {
    std::vector<detect::YaraScanner> scanners;
    for (std::size_t i = 0; i < std::clamp<std::size_t>(files_.size(), 1, threads); ++i) {
      auto scanner = detect::YaraScanner::make(rules_, options_);
      if (!scanner) return std::unexpected(scanner.error());
      scanners.push_back(*std::move(scanner));
    }
    {
      std::vector<std::jthread> running;
      for (detect::YaraScanner& scanner : scanners) running.emplace_back([&] { work(scanner); });
    }
    if (progress_) std::fprintf(stderr, "\r\033[K");
    std::ranges::sort(failures_);
    std::ranges::stable_sort(findings_.matches, {}, &Match::file);
    for (auto& [index, what] : failures_) findings_.failures.push_back(std::move(what));
    return std::move(findings_);
  }

 private:
  void work(detect::YaraScanner& scanner) {
    for (std::size_t i = next_++; i < files_.size(); i = next_++) {
      auto scan = scan_one(scanner, files_[i]);
      const std::scoped_lock lock(mutex_);
      if (progress_ && (i + 1) % 256 == 0) {
        std::fprintf(stderr, "\r%zu of %zu files", i + 1, files_.size());
      }
      if (scan) {
        take(files_[i].shown, *std::move(scan));
      } else {
        failures_.emplace_back(i, scan.error().what);
      }
    }
  }

  Result<detect::YaraScan> scan_one(detect::YaraScanner& scanner, const Target& file) const {
    if (file.path != "-") return scanner.scan_file(file.path);
    const auto bytes = read_to_end(0, "standard input", options_.bytes_max);
    if (!bytes) return std::unexpected(bytes.error());
    return scanner.scan_buffer(*bytes, "-");
  }

  void take(const std::string& file, detect::YaraScan scan) {
    Summary& summary = findings_.summary;
    ++summary.files;
    summary.bytes += scan.bytes;
    summary.matches += scan.matches.size() + scan.matches_cut;
    if (!scan.matches.empty()) ++summary.matched;
    for (detect::YaraMatch& match : scan.matches) {
      if (findings_.matches.size() == shown_max) return;
      findings_.matches.push_back({file, scan.sha256, scan.bytes, std::move(match)});
    }
  }

  std::shared_ptr<const detect::YaraRules> rules_;
  detect::YaraScanOptions options_;
  const std::vector<Target>& files_;
  bool progress_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  Findings findings_;
  std::vector<std::pair<std::size_t, std::string>> failures_;
};

json::Object to_json(const Match& match) {
  json::Object record = detect::to_record(match.match.detection);
  // A file is no event and has no time.
  for (const char* name : {"count", "event", "event_time", "events"}) record.erase(name);
  const detect::YaraOrigin& origin = match.match.origin;
  record["file"] = to_utf8(match.file);
  record["sha256"] = match.sha256;
  record["bytes"] = match.bytes;
  record["origin"] = json::Object{{"file", origin.file},
                                  {"line", origin.line},
                                  {"rule", origin.rule},
                                  {"version", origin.version}};
  return record;
}

void print_as_json(const Targets& targets, const Findings& found) {
  json::Array matches;
  for (const Match& match : found.matches) matches.push_back(to_json(match));
  const Summary& summary = found.summary;
  print_json(json::Object{{"matches", std::move(matches)},
                          {"failures", json::Array(found.failures.begin(), found.failures.end())},
                          {"skipped", json::Array(targets.skipped.begin(), targets.skipped.end())},
                          {"summary", json::Object{{"bytes", summary.bytes},
                                                   {"failures", found.failures.size()},
                                                   {"files", summary.files},
                                                   {"links", targets.links},
                                                   {"matched", summary.matched},
                                                   {"matches", summary.matches},
                                                   {"skipped", targets.skipped.size()}}}});
}

std::string counted(std::size_t count, const std::string& one, const std::string& more) {
  return std::to_string(count) + " " + (count == 1 ? one : more);
}

void print_as_table(const Targets& targets, const Findings& found) {
  const Summary& summary = found.summary;
  std::vector<std::vector<std::string>> rows;
  for (const Match& match : found.matches) {
    const detect::Detection& detection = match.match.detection;
    const detect::Because first =
        detection.because.empty() ? detect::Because() : detection.because.front();
    rows.push_back({std::string(to_string(detection.level)), match.match.origin.rule, match.file,
                    first.selection + (first.field.empty() ? "" : " at " + first.field.substr(7)),
                    detection.title});
  }
  if (!rows.empty()) print_table({"LEVEL", "RULE", "FILE", "BECAUSE", "TITLE"}, rows);
  if (summary.matches > rows.size()) {
    print(counted(summary.matches - rows.size(), "match is", "matches are") + " not shown\n");
  }
  std::string text = counted(summary.files, "file", "files") + " scanned, " +
                     std::to_string(summary.bytes) + " bytes: ";
  text += summary.matched == 0 ? "nothing matched"
                               : counted(summary.matches, "match", "matches") + " in " +
                                     counted(summary.matched, "file", "files");
  if (!found.failures.empty()) {
    text += "; " + std::to_string(found.failures.size()) + " could not be scanned";
  }
  if (!targets.skipped.empty()) text += "; " + std::to_string(targets.skipped.size()) + " skipped";
  if (targets.links != 0) {
    text += "; " + counted(targets.links, "symbolic link", "symbolic links") + " not followed";
  }
  print(text + "\n");
}

void tell(const std::vector<std::string>& sentences) {
  for (const std::string& sentence : sentences) complain(done, printable(sentence));
}

void tell(const std::vector<detect::YaraNote>& notes, const std::string& ending) {
  for (const detect::YaraNote& note : notes) complain(done, printable(note.text()) + ending);
}

// Without the private ones, which are parts of others.
std::size_t count_rules(const detect::YaraRules& rules) {
  return static_cast<std::size_t>(std::ranges::count_if(
      rules.rules(), [](const detect::YaraRule& rule) { return rule.reported; }));
}

int check_rules(const std::vector<std::string>& paths, bool json,
                const detect::YaraRulesOptions& options) {
  const auto load = detect::YaraRules::load(paths, options);
  if (!load) return complain(answer_is_no, load.error().what);
  tell(load->refused, "");
  tell(load->warnings, " (a warning)");
  if (json) {
    print_json(json::Object{{"files", load->files},
                            {"mistakes", load->refused.size()},
                            {"rules", count_rules(*load->rules)},
                            {"warnings", load->warnings.size()}});
  } else {
    print(counted(count_rules(*load->rules), "rule", "rules") + " in " +
          counted(load->files, "file", "files") + " compiled; " +
          counted(load->refused.size(), "mistake", "mistakes") + ", " +
          counted(load->warnings.size(), "warning", "warnings") + "\n");
  }
  return load->refused.empty() ? done : answer_is_no;
}

int test_rules(const std::vector<std::string>& paths, bool json,
               const detect::YaraRulesOptions& options) {
  const auto tested = detect::test_yara_rules(paths, options);
  if (!tested) return complain(answer_is_no, tested.error().what);
  if (json) {
    print_json(
        json::Object{{"failures", json::Array(tested->failures.begin(), tested->failures.end())},
                     {"rules", tested->rules},
                     {"samples", tested->samples}});
  } else {
    for (const std::string& failure : tested->failures) print(failure + "\n");
    print(counted(static_cast<std::size_t>(tested->rules), "rule", "rules") + ", " +
          std::to_string(tested->samples) + " samples, " + std::to_string(tested->failures.size()) +
          " failures\n");
  }
  return tested->failures.empty() ? done : answer_is_no;
}

// "owner=root", "depth=3", "inbound=true": what it looks like is its type.
Result<detect::YaraRulesOptions> rules_options(const po::variables_map& given) {
  detect::YaraRulesOptions options;
  if (!given.contains("define")) return options;
  for (const std::string& text : given["define"].as<std::vector<std::string>>()) {
    const std::size_t sign = text.find('=');
    if (sign == 0 || sign == std::string::npos) {
      return fail(Code::invalid, "'" + text + "' is no NAME=VALUE");
    }
    const std::string value = text.substr(sign + 1);
    detect::YaraVariable& variable = options.variables[text.substr(0, sign)];
    if (value == "true" || value == "false") {
      variable = value == "true";
    } else if (const auto number = to_integer(value)) {
      variable = *number;
    } else {
      variable = value;
    }
  }
  return options;
}

// A whole number of at least 1, or a sentence about it.
Result<std::size_t> number_option(const po::variables_map& given, const char* name,
                                  std::int64_t most) {
  const auto text = given[name].as<std::string>();
  const auto number = to_integer(text);
  if (number && *number >= 1 && *number <= most) return static_cast<std::size_t>(*number);
  return fail(Code::invalid, "--" + std::string(name) + " takes a number from 1 to " +
                                 std::to_string(most) + ", not '" + printable(text) + "'");
}

Result<detect::YaraScanOptions> scan_options(const po::variables_map& given) {
  detect::YaraScanOptions options;
  const auto timeout = parse_duration(given["timeout"].as<std::string>());
  if (!timeout) return fail("--timeout", timeout.error());
  options.timeout = *timeout;
  const auto bytes_max = number_option(given, "bytes-max", std::int64_t{1} << 40);
  if (!bytes_max) return std::unexpected(bytes_max.error());
  options.bytes_max = *bytes_max;
  return options;
}

int scan_paths(const po::variables_map& given, const detect::YaraRulesOptions& rules_options) {
  const auto options = scan_options(given);
  if (!options) return complain(options.error());
  const auto threads = number_option(given, "threads", threads_max);
  if (!threads) return complain(threads.error());
  const auto load =
      detect::YaraRules::load(given["rules"].as<std::vector<std::string>>(), rules_options);
  if (!load) return complain(usage, load.error().what);
  tell(load->refused, "; its file is left out");
  if (load->files == 0) return complain(usage, "no rules were loaded; --rules DIR names a folder");
  const Targets targets = find_targets(given["path"].as<std::vector<std::string>>());
  auto found = Scan(load->rules, *options, targets.files).run(*threads);
  if (!found) return complain(unavailable, found.error().what);
  found->failures.insert(found->failures.begin(), targets.failures.begin(), targets.failures.end());
  tell(targets.skipped);
  tell(found->failures);
  if (wants_json(given)) {
    print_as_json(targets, *found);
  } else {
    print_as_table(targets, *found);
  }
  if (found->summary.matches != 0) return answer_is_no;
  return found->failures.empty() && load->refused.empty() ? done : unavailable;
}

}  // namespace

int scan_command(const Arguments& arguments) {
  using Texts = std::vector<std::string>;
  po::options_description options("Options");
  auto add = options.add_options();
  add("rules",
      po::value<Texts>()->value_name("DIR")->composing()->default_value(
          {std::string(shipped_rules)}, std::string(shipped_rules)),
      "a folder with .yar and .yara files, or one such file; may be given again");
  add("define", po::value<Texts>()->value_name("NAME=VALUE")->composing(),
      "an external variable of the rules; filename, filepath and extension are set by themselves");
  add("timeout", text_option("TIME")->default_value("10s"), "for each file");
  add("bytes-max", text_option("N")->default_value("67108864"),
      "of a file; a larger one is not scanned");
  add("threads",
      text_option("N")->default_value(
          std::to_string(std::max(1U, std::thread::hardware_concurrency()))),
      "files scanned at a time, each held in memory");
  add("check", po::value<Texts>()->value_name("DIR")->composing(),
      "read the rules and tell every mistake");
  add("test", po::value<Texts>()->value_name("DIR")->composing(),
      "run the samples beside the rules (X.test.yml)");
  add_format_option(options);
  int code = done;
  const auto given = read_options(arguments, scan_synopsis, options, "path", code);
  if (!given) return code;
  const auto rules = rules_options(*given);
  if (!rules) return complain(rules.error());
  const bool check = given->contains("check");
  const bool test = given->contains("test");
  if (int{check} + int{test} + int{given->contains("path")} != 1) {
    return complain(usage, "'scan' takes files and folders, or --check DIR, or --test DIR");
  }
  if (check) return check_rules((*given)["check"].as<Texts>(), wants_json(*given), *rules);
  if (test) return test_rules((*given)["test"].as<Texts>(), wants_json(*given), *rules);
  return scan_paths(*given, *rules);
}

}  // namespace mailwarden::cli
