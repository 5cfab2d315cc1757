// An incident with all that is known of it, written page by page.
#include "report/incident_export.h"

#include <cstdio>
#include <fstream>

#include "base/files.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

// Where lines go: a file that takes its name once it is whole, or what is printed.
class Lines {
 public:
  explicit Lines(std::string file) : file_(std::move(file)) {
    if (!file_.empty()) stream_.open(unfinished(), std::ios::binary | std::ios::trunc);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() {
    if (!file_.empty() && !is_whole_) std::remove(unfinished().c_str());
  }

  void write(const json::Value& line) {
    const std::string text = json::to_text(line) + "\n";
    if (file_.empty()) return print(text);
    stream_ << text;
  }
  Result<void> finish() {
    if (file_.empty()) return {};
    stream_.close();
    if (!stream_) return fail(Code::io, "could not write " + unfinished());
    if (auto done = sync_file(unfinished()); !done) return done;
    if (auto done = rename_durably(unfinished(), file_); !done) return done;
    is_whole_ = true;
    return {};
  }

 private:
  std::string unfinished() const { return file_ + ".new"; }

  std::string file_;
  std::ofstream stream_;
  bool is_whole_ = false;
};

}  // namespace

int export_incident(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  add_socket_option(options);
  options.add_options()("output,o", text_option("FILE"), "where it is written instead of printed");
  int code = done;
  const auto given = read_options(
      arguments, "incidents export NUMBER [--store URL] [-o FILE.jsonl]", options, "number", code);
  if (!given) return code;
  const auto words = words_of(*given, "number");
  if (words.size() != 1) return complain(usage, "'incidents export' needs the incident's number");
  Lines lines(text_of(*given, "output"));
  std::int64_t count = 0;
  const auto tell = progress("lines");
  const std::pair<std::string, std::string> limit{"limit",
                                                  std::to_string(report::ExportQuery::limit_max)};
  Question question{.path = "/api/v1/incidents/" + words[0] + "/export", .query = {limit}};
  while (true) {
    const auto page = ask(*given, question);
    if (!page) return complain(page.error());
    if (const auto* const all = (*page)["lines"].as_array()) {
      for (const json::Value& line : *all) lines.write(line);
      count += std::ssize(*all);
    }
    if (tell) tell(count);
    if ((*page)["after"].is_null()) break;
    question.query = {limit, {"after", std::to_string(page->integer("after"))}};
  }
  lines.write(json::Object{{"end", json::Object{{"lines", count}}}});
  if (auto done_so = lines.finish(); !done_so) return complain(done_so.error());
  return done;
}

}  // namespace mailwarden::cli
