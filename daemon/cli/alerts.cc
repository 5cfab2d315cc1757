// Alerts: what was decided, silences, and whether a receiver can be reached.
#include <array>
#include <condition_variable>
#include <mutex>

#include "alert/label_matcher.h"
#include "alert/silence.h"
#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

constexpr std::string_view silences_path = "/api/v2/silences";

int list(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("incident", text_option("NUMBER"), "about this incident");
  add("standing", text_option("STANDING"), "pending, delivered, failed or silenced");
  add("before", text_option("NUMBER"), "ledger entries below this one");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(arguments, "alerts [list] [OPTION]...", options, nullptr, code);
  if (!given) return code;
  const auto answer = ask(
      *given, {"/api/v1/alerts", query_of(*given, {"incident", "standing", "before", "limit"})});
  return print_answer(*given, answer, [](const json::Value& all) {
    std::vector<std::vector<std::string>> rows;
    if (const auto* alerts = all["alerts"].as_array()) {
      for (const json::Value& alert : *alerts) {
        rows.push_back({short_time(alert.text("time")), alert.text("receiver"),
                        alert.text("standing"), std::to_string(alert.integer("tries")),
                        alert.text("subject"), alert.text("trouble")});
      }
    }
    print_table({"WHEN (UTC)", "RECEIVER", "STANDING", "TRIES", "WHAT", "TROUBLE"}, rows);
  });
}

// The alert of that key as it stands, or null.
Result<json::Value> find_alert(const po::variables_map& given, const std::string& key) {
  const auto answer = ask_daemon(given, {.path = "/api/v1/alerts", .query = {{"limit", "1000"}}});
  if (!answer) return std::unexpected(answer.error());
  if (const auto* alerts = (*answer)["alerts"].as_array()) {
    for (const json::Value& alert : *alerts) {
      if (alert.text("key") == key) return alert;
    }
  }
  return json::Value();
}

int test(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  auto add = options.add_options();
  add("receiver", text_option("NAME"), "a receiver of routes.yaml");
  add("timeout", text_option("SPAN")->default_value("30s"), "how long to wait for the outcome");
  int code = done;
  const auto given = read_needed(arguments, "alerts test --receiver NAME [OPTION]...", options,
                                 {"receiver"}, code);
  if (!given) return code;
  const auto timeout = parse_duration((*given)["timeout"].as<std::string>());
  if (!timeout) return complain(usage, "--timeout: " + timeout.error().what);
  const json::Object act{{"receiver", (*given)["receiver"].as<std::string>()}};
  const auto begun =
      ask_daemon(*given, {.path = "/api/v1/alerts/test", .query = {}, .act = json::to_text(act)});
  if (!begun) return complain(begun.error());
  const SystemClock clock;
  const Timestamp end = clock.now() + *timeout;
  json::Value last;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable pause;
  while (clock.now() < end) {
    auto alert = find_alert(*given, begun->text("key"));
    if (!alert) return complain(alert.error());
    last = *std::move(alert);
    const std::string standing = last.text("standing");
    if (standing == "delivered") {
      print("delivered\n");
      return done;
    }
    if (standing == "failed") return complain(answer_is_no, "failed: " + last.text("trouble"));
    pause.wait_for(lock, std::chrono::milliseconds(100));
  }
  const std::string trouble = last.text("trouble");
  return complain(answer_is_no, "not delivered yet" + (trouble.empty() ? "" : ": " + trouble));
}

int add_silence(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("for", text_option("SPAN"), "how long, such as 2h");
  add("start", text_option("TIME"), "from when on, such as 2026-11-24T02:00:00Z; by default now");
  add("why", text_option("TEXT"), "the reason");
  add("who", text_option("NAME"), "the author");
  int code = done;
  const auto given =
      read_options(arguments, "alerts silence add --for SPAN --why TEXT --who NAME MATCHER...",
                   options, "matcher", code);
  if (!given) return code;
  for (const char* const name : {"for", "why", "who", "matcher"}) {
    if (!given->contains(name)) return complain(usage, "what is missing: " + std::string(name));
  }
  const auto span = parse_duration((*given)["for"].as<std::string>());
  if (!span) return complain(usage, "--for: " + span.error().what);
  Timestamp start = SystemClock().now();
  if (given->contains("start")) {
    const auto parsed = parse_rfc3339((*given)["start"].as<std::string>());
    if (!parsed) return complain(usage, "--start: " + parsed.error().what);
    start = *parsed;
  }
  json::Array matchers;
  for (const std::string& text : words_of(*given, "matcher")) {
    const auto matcher = alert::LabelMatcher::parse(text);
    if (!matcher) return complain(usage, matcher.error().what);
    matchers.emplace_back(alert::to_json(*matcher));
  }
  const json::Object silence{{"comment", (*given)["why"].as<std::string>()},
                             {"createdBy", (*given)["who"].as<std::string>()},
                             {"endsAt", to_rfc3339(start + *span)},
                             {"matchers", std::move(matchers)},
                             {"startsAt", to_rfc3339(start)}};
  const auto answer = ask_daemon(
      *given, {.path = std::string(silences_path), .query = {}, .act = json::to_text(silence)});
  return print_answer(*given, answer, [](const json::Value& made) {
    print(printable(made.text("silenceID")) + "\n");
  });
}

int list_silences(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  int code = done;
  const auto given = read_options(arguments, "alerts silence list [MATCHER]... [OPTION]...",
                                  options, "matcher", code);
  if (!given) return code;
  Question question{.path = std::string(silences_path)};
  for (const std::string& text : words_of(*given, "matcher")) {
    question.query.emplace_back("filter", text);
  }
  return print_answer(*given, ask_daemon(*given, std::move(question)), [](const json::Value& all) {
    std::vector<std::vector<std::string>> rows;
    if (const auto* silences = all.as_array()) {
      for (const json::Value& one : *silences) {
        std::string matchers;
        if (const auto silence = alert::read_silence(one)) {
          matchers = alert::to_text(silence->matchers);
        }
        rows.push_back({one.text("id"), one["status"].text("state"), short_time(one.text("endsAt")),
                        one.text("createdBy"), matchers, one.text("comment")});
      }
    }
    print_table({"ID", "STATE", "ENDS (UTC)", "WHO", "WHAT", "WHY"}, rows);
  });
}

int expire_silences(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  int code = done;
  const auto given =
      read_options(arguments, "alerts silence expire ID... [OPTION]...", options, "id", code);
  if (!given) return code;
  const std::vector<std::string> ids = words_of(*given, "id");
  if (ids.empty()) return complain(usage, "which silence? its ID");
  for (const std::string& id : ids) {
    const auto answer = ask_daemon(
        *given, {.path = "/api/v2/silence/" + id, .query = {}, .act = {}, .method = "DELETE"});
    if (!answer) return complain(answer.error());
  }
  return done;
}

constexpr std::array silence_commands{
    Group{"add", "say nothing of what matches, for a time", add_silence},
    Group{"list", "list silences", list_silences},
    Group{"expire", "end a silence now", expire_silences}};

int silence(const Arguments& arguments) {
  return run_one_of("alerts silence", silence_commands, arguments);
}

}  // namespace

int alerts_command(const Arguments& arguments) {
  if (arguments.empty()) return list(arguments);
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "escalations") return escalations_command(rest);
  if (arguments[0] == "list") return list(rest);
  if (arguments[0] == "test") return test(rest);
  if (arguments[0] == "silence") return silence(rest);
  return list(arguments);
}

}  // namespace mailwarden::cli
