// Any text wherever a text is read: rules, policies, settings, notes, events, times. Each reader
// answers or refuses with a sentence, and what it gives can be written and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "alert/routes.h"
#include "base/check.h"
#include "base/text.h"
#include "config/config.h"
#include "detect/rule_set.h"
#include "event/event_json.h"
#include "incident/severity.h"
#include "ingest/decode/json_mapping.h"
#include "json/base64.h"
#include "json/canonical.h"
#include "json/value.h"
#include "json/writer.h"
#include "ledger/mailed_note.h"
#include "ledger/note.h"
#include "privacy/retention_policy.h"
#include "respond/check.h"
#include "respond/condition.h"
#include "respond/flow_file.h"
#include "respond/flow_json.h"
#include "respond/outline.h"
#include "respond/playbook.h"

namespace {

using namespace mailwarden;

template <class T>
void check_refusal(const Result<T>& read) {
  CHECK(read || !read.error().what.empty());
}

void read_rules(const std::string& text) {
  const auto rules = detect::RuleSet::make(detect::parse_rules(text, "f.yml"));
  CHECK(rules);
  for (const detect::Refusal& refusal : rules->refused()) CHECK(!refusal.reason.empty());
  Event event;
  event.logsource = {.product = "linux", .category = {}, .service = {}};
  event.fields.add("event", "login_failed");
  event.fields.add("message", text);
  event.raw = text;
  static_cast<void>(rules->match(event));
}

void read_json(const std::string& text) {
  const auto value = json::parse(text);
  check_refusal(value);
  if (!value) return;
  const std::string again = json::to_text(*value);
  const auto reread = json::parse(again);
  CHECK(reread && json::to_text(*reread) == again);
}

void read_canonical(const std::string& text) {
  const auto fast = json::parse_canonical(text);
  const auto plain = json::parse(text);
  CHECK(fast.has_value() == (plain && json::to_text(*plain) == text));
  CHECK(!fast || *fast == *plain);
}

void write_json(const std::string& text) {
  std::string fast;
  json::Writer(fast).string(text);
  std::string plain;
  json::append_string(plain, text);
  CHECK(fast == plain);
  CHECK(json::parse(fast));
}

void read_event(const std::string& text) {
  const auto event = parse_event(text);
  check_refusal(event);
  if (!event) return;
  const std::string again = to_json(*event);
  const auto reread = parse_event(again);
  CHECK(reread && to_json(*reread) == again);
}

void read_note(const std::string& text) {
  check_refusal(ledger::parse_checkpoint(text));
  const auto key = ledger::parse_verifier_key(text);
  check_refusal(key);
  const auto known = ledger::parse_verifier_key(
      "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  CHECK(known);
  check_refusal(ledger::open_checkpoint(text, *known));
  check_refusal(ledger::checkpoint_note(text));
  check_refusal(ledger::checkpoint_note("Content-Type: multipart/mixed; boundary=b\n\n" + text));
}

void read_time(const std::string& text) {
  if (const auto time = parse_rfc3339(text)) CHECK(parse_rfc3339(to_rfc3339(*time)) == *time);
  check_refusal(parse_duration(text));
  if (const auto bytes = json::from_base64(text)) CHECK(json::to_base64(*bytes) == text);
  CHECK(is_utf8(to_utf8(text)));
}

// Whatever schedules say, somebody is on call, and for a while.
void read_on_call(const std::string& text) {
  const Timestamp now{1'774'746'000'000'000};  // an hour before Berlin's clocks were set in 2026
  const auto schedules = alert::OnCallSchedules::parse(text, "f.yaml", now);
  check_refusal(schedules);
  if (!schedules) return;
  for (const alert::Schedule& schedule : schedules->schedules()) {
    for (const Timestamp at : {Timestamp::earliest, now, Timestamp::latest}) {
      const alert::Shift shift = alert::on_call(schedule, at);
      CHECK(schedules->find_person(shift.person) != nullptr);
      CHECK(!shift.until || *shift.until > at);
    }
  }
}

// What a file can say is written so that it is read as the same, and can be checked and told.
void read_playbook(const std::string& text) {
  namespace flow = respond::flow;
  const auto playbooks = flow::parse_playbooks(std::vector{flow::PlaybookText{"f.yaml", text}});
  check_refusal(playbooks);
  if (!playbooks) return;
  const flow::Playbook& playbook = playbooks->front();
  for (const respond::Finding& finding : respond::check(*playbooks, {})) {
    CHECK(!finding.what.empty());
  }
  static_cast<void>(respond::to_text(respond::outline(playbook, {}, std::nullopt)));
  const std::string stored = json::to_text(json::Value(flow::to_json(playbook)));
  const auto from_json = flow::playbook_from_json(*json::parse(stored));
  CHECK(from_json && json::to_text(json::Value(flow::to_json(*from_json))) == stored);
  const auto yaml = flow::to_yaml(playbook);
  if (!yaml) return;
  auto again = flow::parse_playbooks(std::vector{flow::PlaybookText{"f.yaml", *yaml}});
  CHECK(again);
  again->front().version = playbook.version;
  CHECK(again->front() == playbook);
}

void read_condition(const std::string& text) {
  const auto condition = respond::Condition::parse(text);
  check_refusal(condition);
  if (!condition) return;
  const auto again = respond::Condition::parse(condition->to_text());
  CHECK(again && again->to_text() == condition->to_text());
  for (const json::Value& value :
       {json::Value(), json::Value(1), json::Value("1"), json::Value(json::Array{"a"})}) {
    const auto lookup = [&](std::string_view) { return value; };
    const auto holds = condition->evaluate(lookup);
    check_refusal(holds);
    CHECK(again->evaluate(lookup) == holds);
  }
}

void read_policies(const std::string& text) {
  check_refusal(incident::SeverityTable::parse(text, "f.yaml"));
  check_refusal(alert::Routes::parse(text, "f.yaml", "alerts"));
  read_on_call(text);
  check_refusal(respond::parse_playbooks(std::vector{respond::PlaybookText{"f.yaml", text}}));
  check_refusal(privacy::parse_retention(std::vector{privacy::PolicyText{"f.yaml", text}}));
  check_refusal(ingest::parse_json_mapping(text, "f.yaml"));
}

void read_settings(const std::string& text) {
  check_refusal(config::parse_source(text));
  check_refusal(config::parse_file(text, "f.yaml", {}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto read : {read_rules, read_json, read_canonical, write_json, read_event, read_note,
                          read_time, read_policies, read_playbook, read_condition, read_settings}) {
    read(text);
  }
  return 0;
}
