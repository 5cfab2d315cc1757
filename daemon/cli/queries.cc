// Commands that look at what is stored: through the daemon, or in a store at rest.
#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {

int events_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("account", text_option("NAME"), "who acted, or whose account it is");
  add("address", text_option("ADDRESS"), "where it came from");
  add("from", text_option("TIME"), "not before this time, such as 2026-11-24T02:00:00Z");
  add("until", text_option("TIME"), "before this time");
  add("rule", text_option("ID"), "what a rule found, by the rule's id");
  add("before", text_option("NUMBER"), "the next page: what the page before it said behind 'more'");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(arguments, "events [ID] [OPTION]...", options, "id", code);
  if (!given) return code;
  std::string path = "/api/v1/events";
  const bool one = given->contains("id");
  if (one) path += "/" + (*given)["id"].as<std::vector<std::string>>().front();
  const auto answer = ask(
      *given,
      {path, query_of(*given, {"account", "address", "from", "until", "rule", "before", "limit"})});
  if (!answer) return complain(answer.error());
  if (one || wants_json(*given)) {
    print_json(*answer);
    return done;
  }
  std::vector<std::vector<std::string>> rows;
  if (const auto* events = (*answer)["events"].as_array()) {
    for (const json::Value& event : *events) {
      rows.push_back({event.text("id"), short_time(event.text("time")), event.text("source"),
                      event.text("decoder"),
                      event.text("undecoded").empty()
                          ? event["ocsf"].text("message", event.text("raw"))
                          : "UNDECODED: " + event.text("undecoded")});
    }
  }
  print_table({"ID", "TIME (UTC)", "SOURCE", "DECODER", "MESSAGE"}, rows);
  if (const std::int64_t before = answer->integer("before", -1); before >= 0) {
    print("more: --before " + std::to_string(before) + "\n");
  }
  return done;
}

int status_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  int code = done;
  const auto given = read_options(arguments, "status [OPTION]...", options, nullptr, code);
  if (!given) return code;
  const auto answer = ask_daemon(*given, {.path = "/api/v1/status"});
  if (!answer) return complain(answer.error());
  if (wants_json(*given)) {
    print_json(*answer);
    return done;
  }
  const bool ready = (*answer)["ready"] == json::Value(true);
  print(ready ? "ready\n" : "NOT READY: " + printable(answer->text("trouble")) + "\n");
  if (const std::string damage = answer->text("store_damage"); !damage.empty()) {
    print("DAMAGED: " + printable(damage) + "\n");
  }
  if (const std::string heartbeat = answer->text("heartbeat"); !heartbeat.empty()) {
    print("heartbeat " + printable(heartbeat) + "\n");
  }
  for (const char* name :
       {"events", "undecoded", "detections", "changes", "gaps", "alerts", "alerts_delivered",
        "alerts_failed", "escalations_running", "escalations_exhausted", "escalations_overdue",
        "errands_waiting", "ledger_entries", "batches_waiting", "write_failures"}) {
    print("  " + std::string(name) + std::string(22 - std::string_view(name).size(), ' ') +
          std::to_string(answer->integer(name)) + "\n");
  }
  return ready ? done : answer_is_no;
}

}  // namespace mailwarden::cli
