// Rules held against events in files.
#include <cerrno>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/cli/command.h"
#include "detect/match_stream.h"
#include "detect/pipeline.h"

namespace mailwarden::cli {
namespace {

Result<Logsource> parse_logsource(const std::string& text) {
  Logsource source;
  if (text.empty()) return source;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    std::string* const into = name == "product"    ? &source.product
                              : name == "category" ? &source.category
                              : name == "service"  ? &source.service
                                                   : nullptr;
    if (into == nullptr || equals == part.npos || equals + 1 == part.size()) {
      return fail(Code::invalid, "'" + printable(part) +
                                     "' is no part of a log source like product=windows (product, "
                                     "category and service are)");
    }
    *into = part.substr(equals + 1);
  }
  return source;
}

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<detect::MatchTotals> match_file(const std::string& path, const detect::RuleSet& rules,
                                       const detect::MatchStreamOptions& options) {
  const int descriptor = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(Code::not_found, path + ": " + std::strerror(errno));
  const detect::MatchSinks sinks{.write = write_all, .complain = [&](std::string_view what) {
                                   complain(done, path + ", " + std::string(what));
                                 }};
  auto totals = detect::match_stream(descriptor, rules, options, sinks);
  if (path != "-") ::close(descriptor);
  if (!totals) return fail(path, totals.error());
  return totals;
}

}  // namespace

int detect_command(const Arguments& arguments) {
  po::options_description options("Options");
  auto add = options.add_options();
  add("rules", po::value<std::vector<std::string>>()->multitoken()->value_name("PATH..."),
      "rule files and folders of them");
  add("pipeline", po::value<std::vector<std::string>>()->value_name("FILE"),
      "a processing pipeline for the rules; may stand several times");
  add("events", text_option("FILE"), "events as JSON lines or objects; - is standard input");
  add("logsource", text_option("k=v,...")->default_value(""),
      "product, category and service that hold for every event");
  add("routing", text_option("HOW")->default_value("strict"),
      "strict: a part of the log source that an event does not state equals nothing; open: it "
      "contradicts nothing");
  add("threads", po::value<unsigned>()->default_value(1)->value_name("N"), "how many to use");
  add_format_option(options, "jsonl", "table");
  int code = done;
  const auto given = read_options(
      arguments,
      "detect --rules PATH... --events FILE [OPTION]...\nPrints a line for each rule that an event "
      "matches; events are numbered from 0.",
      options, nullptr, code);
  if (!given) return code;
  if (!given->contains("rules") || !given->contains("events")) {
    return complain(usage, "'detect' needs --rules PATH and --events FILE");
  }
  const std::string format = (*given)["format"].as<std::string>();
  const std::string routing = (*given)["routing"].as<std::string>();
  if (routing != "strict" && routing != "open") {
    return complain(usage, "the routing '" + printable(routing) + "' is neither strict nor open");
  }
  const auto logsource = parse_logsource((*given)["logsource"].as<std::string>());
  if (!logsource) return complain(usage, logsource.error().what);
  const detect::MatchStreamOptions matching{
      .logsource = *logsource,
      .routing = routing == "open" ? detect::Routing::open : detect::Routing::strict,
      .threads = std::clamp((*given)["threads"].as<unsigned>(), 1U,
                            std::max(1U, std::thread::hardware_concurrency() * 2)),
      .format = format == "jsonl" ? detect::MatchFormat::json_lines : detect::MatchFormat::table};
  const auto pipelines = detect::Pipelines::load(
      given->contains("pipeline") ? (*given)["pipeline"].as<std::vector<std::string>>()
                                  : std::vector<std::string>());
  if (!pipelines) return complain(answer_is_no, pipelines.error().what);
  auto texts = detect::load_rules((*given)["rules"].as<std::vector<std::string>>());
  if (!texts) return complain(unavailable, texts.error().what);
  pipelines->apply(*texts);
  const auto rules =
      detect::RuleSet::make(*std::move(texts), {.placeholders = pipelines->placeholders()});
  if (!rules) return complain(answer_is_no, rules.error().what);
  for (const detect::Refusal& refusal : rules->refused()) complain(done, refusal.sentence());
  const auto totals = match_file((*given)["events"].as<std::string>(), *rules, matching);
  if (!totals) return complain(unavailable, totals.error().what);
  return totals->unread == 0 ? done : unavailable;
}

}  // namespace mailwarden::cli
