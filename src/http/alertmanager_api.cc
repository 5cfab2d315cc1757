#include "http/alertmanager_api.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "alert/inhibition.h"
#include "base/files.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "http/answers.h"

namespace mailwarden::http {
namespace {

using net::Request;
using net::Response;

constexpr std::string_view silence_path = "/api/v2/silence/";
constexpr std::string_view test_path = "/api/v1/alerts/test";
constexpr std::size_t token_bytes_max = 4096;
constexpr std::size_t filters_max = 64;

// Errors are JSON texts here.
Response refuse(unsigned status, std::string_view why) {
  return json_response(status, json::Value(why));
}

Response refuse(const Error& error) {
  const Response usual = trouble(error);
  return refuse(usual.status, error.what);
}

enum class May { yes, no, nobody };

// The file is read each time, so that a token is changed without a reload.
May shows_token(const Request& request, const std::string& file) {
  if (file.empty()) return May::nobody;
  constexpr std::string_view scheme = "Bearer ";
  const std::string_view header = request.header("Authorization");
  const auto token = read_whole_file(file, token_bytes_max);
  if (!token || trim(*token).empty() || !header.starts_with(scheme)) return May::no;
  const bool same = crypto::equal_secretly(crypto::as_bytes(trim(*token)),
                                           crypto::as_bytes(header.substr(scheme.size())));
  return same ? May::yes : May::no;
}

Result<alert::LabelMatchers> read_filter(const Request& request) {
  alert::LabelMatchers matchers;
  for (const auto& [name, text] : request.query) {
    if (name != "filter" || text.empty()) continue;
    if (matchers.size() == filters_max) return fail(Code::invalid, "too many filters");
    auto matcher = alert::LabelMatcher::parse(text);
    if (!matcher) return std::unexpected(matcher.error());
    matchers.push_back(*std::move(matcher));
  }
  return matchers;
}

// What of alerts is asked for.
struct Wanted {
  alert::LabelMatchers filter;
  std::optional<alert::LabelMatcher> receiver;
  bool active = true;
  bool silenced = true;
  bool inhibited = true;
};

Result<Wanted> read_wanted(const Request& request) {
  auto filter = read_filter(request);
  if (!filter) return std::unexpected(filter.error());
  Wanted wanted{.filter = *std::move(filter), .receiver = {}};
  for (const auto& [name, into] :
       {std::pair("active", &wanted.active), std::pair("silenced", &wanted.silenced),
        std::pair("inhibited", &wanted.inhibited)}) {
    const std::string_view text = request.parameter(name);
    if (text != "" && text != "true" && text != "false") {
      return fail(Code::invalid, "'" + std::string(name) + "' must be true or false");
    }
    *into = text != "false";
  }
  if (const std::string receiver(request.parameter("receiver")); !receiver.empty()) {
    auto matcher =
        alert::LabelMatcher::make("receiver", alert::LabelMatcher::Kind::matches, receiver);
    if (!matcher) return std::unexpected(matcher.error());
    wanted.receiver = *std::move(matcher);
  }
  return wanted;
}

struct Shown {
  alert::Signal signal;
  std::vector<std::string> silenced_by;
  std::string inhibited_by;  // a fingerprint
  std::vector<std::string> receivers;
};

std::vector<std::string> receivers_of(const AlertsView& view, const alert::Labels& labels) {
  std::vector<std::string> names;
  for (const alert::Route& route : view.routes.routes()) {
    if (!route.takes(labels)) continue;
    for (const std::string& name : route.to) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

// Nothing where it is not wanted.
std::optional<Shown> show(const AlertsView& view, const alert::Inhibitors& inhibitors,
                          const Wanted& wanted, const alert::Signal& signal, Timestamp now) {
  if (signal.is_over(now) || !alert::match_all(wanted.filter, signal.labels)) return std::nullopt;
  Shown shown{.signal = {}, .receivers = receivers_of(view, signal.labels)};
  if (wanted.receiver && std::ranges::none_of(shown.receivers, [&](const std::string& name) {
        return wanted.receiver->matches(std::string_view(name));
      })) {
    return std::nullopt;
  }
  shown.silenced_by = view.silences.silencing(signal.labels, now);
  if (const std::int64_t by = inhibitors.inhibiting(signal.labels); by != 0) {
    shown.inhibited_by = alert::fingerprint(view.signals.find(by)->labels);
  }
  const bool is_silenced = !shown.silenced_by.empty();
  const bool is_inhibited = !shown.inhibited_by.empty();
  if ((!wanted.silenced && is_silenced) || (!wanted.inhibited && is_inhibited) ||
      (!wanted.active && !is_silenced && !is_inhibited)) {
    return std::nullopt;
  }
  shown.signal = signal;
  return shown;
}

json::Object receiver_json(const std::string& name) {
  return {{"name", name}};
}

json::Object to_json(const Shown& shown) {
  const alert::Signal& signal = shown.signal;
  const bool muted = !shown.silenced_by.empty() || !shown.inhibited_by.empty();
  json::Array receivers;
  for (const std::string& name : shown.receivers) receivers.emplace_back(receiver_json(name));
  json::Array inhibited;
  if (!shown.inhibited_by.empty()) inhibited.emplace_back(shown.inhibited_by);
  return {{"annotations", alert::to_json(signal.annotations)},
          {"endsAt", to_rfc3339(signal.ends)},
          {"fingerprint", alert::fingerprint(signal.labels)},
          {"generatorURL", signal.generator},
          {"labels", alert::to_json(signal.labels)},
          {"receivers", std::move(receivers)},
          {"startsAt", to_rfc3339(signal.starts)},
          {"status", json::Object{{"inhibitedBy", std::move(inhibited)},
                                  {"silencedBy",
                                   json::Array(shown.silenced_by.begin(), shown.silenced_by.end())},
                                  {"state", muted ? "suppressed" : "active"}}},
          {"updatedAt", to_rfc3339(signal.updated)}};
}

json::Object to_json(const alert::Silence& silence, Timestamp now) {
  json::Object object = alert::to_json(silence);
  object.erase("over");
  object["status"] = json::Object{{"state", alert::state_of(silence, now)}};
  return object;
}

// Whether the filter means the silence: as amtool asks, by the labels that its matchers name.
bool is_meant(const alert::Silence& silence, const alert::LabelMatchers& filter) {
  alert::Labels labels;
  for (const alert::LabelMatcher& one : silence.matchers) labels[one.name()] = one.value();
  return alert::match_all(filter, labels);
}

}  // namespace

AlertmanagerApi::AlertmanagerApi(AlertmanagerParts parts)
    : parts_(std::move(parts)), started_(parts_.clock.now()) {}

Response AlertmanagerApi::answer(const Request& request) const {
  if (request.method == "POST" || request.method == "DELETE") return written(request);
  if (request.path == "/api/v2/alerts") return alerts(request);
  if (request.path == "/api/v2/alerts/groups") return groups(request);
  if (request.path == "/api/v2/silences") return silences(request);
  if (request.path == "/api/v2/receivers") return receivers();
  if (request.path == "/api/v2/status") return status();
  if (request.path.starts_with(silence_path)) {
    return silence(request.path.substr(silence_path.size()));
  }
  return refuse(404, "there is no such path");
}

// Who may write at all, and what.
Response AlertmanagerApi::written(const Request& request) const {
  const bool is_alerts = request.path == "/api/v2/alerts";
  const bool is_silence =
      request.path == "/api/v2/silences" || request.path.starts_with(silence_path);
  if (request.path == test_path) {
    if (!request.local) return refuse(403, "tests are begun through the UNIX socket alone");
    return test(request);
  }
  if (!request.local) {
    const May silences = shows_token(request, parts_.silences_token);
    const May signals = shows_token(request, parts_.signals_token);
    const bool may = silences == May::yes || (is_alerts && signals == May::yes);
    if (silences == May::nobody && (!is_alerts || signals == May::nobody)) {
      return refuse(403, is_alerts ? "alerts come through the UNIX socket alone; 'signals-token' "
                                     "would let them in here"
                                   : "silences are set through the UNIX socket alone; "
                                     "'silences-token' would let them in here");
    }
    if (!may && signals == May::yes) return refuse(403, "this token is for alerts alone");
    if (!may) {
      Response response = refuse(401, "a bearer token is needed");
      response.headers.emplace_back("WWW-Authenticate", "Bearer");
      return response;
    }
  }
  if (request.method == "POST" && is_alerts) return post_alerts(request);
  if (request.method == "POST" && request.path == "/api/v2/silences") return post_silence(request);
  if (request.method == "DELETE" && is_silence && request.path != "/api/v2/silences") {
    return expire(request.path.substr(silence_path.size()));
  }
  return refuse(405, "this path is read, not written");
}

Response AlertmanagerApi::alerts(const Request& request) const {
  const auto wanted = read_wanted(request);
  if (!wanted) return refuse(wanted.error());
  const Timestamp now = parts_.clock.now();
  std::vector<Shown> found;
  const auto looked = parts_.look([&](const AlertsView& view) {
    const alert::Inhibitors inhibitors(view.routes.terms().inhibitions, view.signals, now);
    for (const auto& [number, signal] : view.signals.all()) {
      if (auto shown = show(view, inhibitors, *wanted, signal, now)) {
        found.push_back(*std::move(shown));
      }
    }
  });
  if (!looked) return refuse(looked.error());
  json::Array list;
  for (const Shown& shown : found) list.emplace_back(to_json(shown));
  return json_response(200, std::move(list));
}

Response AlertmanagerApi::groups(const Request& request) const {
  const auto wanted = read_wanted(request);
  if (!wanted) return refuse(wanted.error());
  const Timestamp now = parts_.clock.now();
  struct Found {
    alert::Labels labels;
    std::vector<std::string> receivers;
    std::vector<Shown> alerts;
  };
  std::vector<Found> found;
  const auto looked = parts_.look([&](const AlertsView& view) {
    const alert::Inhibitors inhibitors(view.routes.terms().inhibitions, view.signals, now);
    for (const auto& [number, group] : view.groups.all()) {
      const alert::Route* const route = view.routes.find_route(group.route);
      if (route == nullptr || !route->terms.takes_signals) continue;
      Found one{.labels = group.labels, .receivers = route->to, .alerts = {}};
      for (const std::int64_t member : view.groups.members(number)) {
        const alert::Signal* const signal = view.signals.find(member);
        if (signal == nullptr) continue;
        if (auto shown = show(view, inhibitors, *wanted, *signal, now)) {
          one.alerts.push_back(*std::move(shown));
        }
      }
      if (!one.alerts.empty()) found.push_back(std::move(one));
    }
  });
  if (!looked) return refuse(looked.error());
  json::Array list;
  for (const Found& one : found) {
    json::Array alerts;
    for (const Shown& shown : one.alerts) alerts.emplace_back(to_json(shown));
    for (const std::string& receiver : one.receivers) {
      list.emplace_back(json::Object{{"alerts", alerts},
                                     {"labels", alert::to_json(one.labels)},
                                     {"receiver", receiver_json(receiver)}});
    }
  }
  return json_response(200, std::move(list));
}

Response AlertmanagerApi::post_alerts(const Request& request) const {
  const auto body = json::parse(request.body);
  if (!body) return refuse(400, body.error().what);
  const auto posted = alert::read_signals(*body, parts_.clock.now());
  if (!posted) return refuse(posted.error());
  if (!posted->signals.empty()) {
    if (auto taken = parts_.take(posted->signals); !taken) return refuse(taken.error());
  }
  if (posted->refused.empty()) return {.body = ""};
  std::string why;
  for (const std::string& one : posted->refused) why += (why.empty() ? "" : "; ") + one;
  constexpr std::size_t why_bytes_max = 2000;
  return refuse(400, std::string_view(why).substr(0, why_bytes_max));
}

Response AlertmanagerApi::silences(const Request& request) const {
  const auto filter = read_filter(request);
  if (!filter) return refuse(filter.error());
  std::vector<alert::Silence> found;
  const auto looked = parts_.look([&](const AlertsView& view) {
    for (const auto& [id, silence] : view.silences.all()) {
      if (is_meant(silence, *filter)) found.push_back(silence);
    }
  });
  if (!looked) return refuse(looked.error());
  const Timestamp now = parts_.clock.now();
  // Those that hold first, by what they end with; then those to come; then those that were.
  const auto rank = [&](const alert::Silence& one) {
    const std::string_view state = alert::state_of(one, now);
    return std::tuple(state == "active" ? 0 : state == "pending" ? 1 : 2, one.ends, one.id);
  };
  std::ranges::sort(found, {}, rank);
  json::Array list;
  for (const alert::Silence& one : found) list.emplace_back(to_json(one, now));
  return json_response(200, std::move(list));
}

Response AlertmanagerApi::silence(const std::string& id) const {
  std::optional<alert::Silence> found;
  const auto looked = parts_.look([&](const AlertsView& view) {
    if (const alert::Silence* const one = view.silences.find(id)) found = *one;
  });
  if (!looked) return refuse(looked.error());
  if (!found) return refuse(404, "there is no such silence");
  return json_response(200, to_json(*found, parts_.clock.now()));
}

Response AlertmanagerApi::post_silence(const Request& request) const {
  const auto body = json::parse(request.body);
  if (!body) return refuse(400, body.error().what);
  const auto silence = alert::read_silence(*body);
  if (!silence) return refuse(silence.error());
  const auto id = parts_.set_silence(*silence);
  if (!id) return refuse(id.error());
  return json_response(200, json::Object{{"silenceID", *id}});
}

Response AlertmanagerApi::expire(const std::string& id) const {
  if (auto done = parts_.expire_silence(id); !done) return refuse(done.error());
  return {.body = ""};
}

Response AlertmanagerApi::receivers() const {
  json::Array list;
  const auto looked = parts_.look([&](const AlertsView& view) {
    for (const alert::Receiver& one : view.routes.receivers()) {
      list.emplace_back(receiver_json(one.name));
    }
  });
  if (!looked) return refuse(looked.error());
  return json_response(200, std::move(list));
}

Response AlertmanagerApi::status() const {
  return json_response(200,
                       json::Object{{"cluster", json::Object{{"name", parts_.origin},
                                                             {"peers", json::Array{}},
                                                             {"status", "disabled"}}},
                                    {"config", json::Object{{"original", ""}}},
                                    {"uptime", to_rfc3339(started_)},
                                    {"versionInfo", json::Object{{"branch", ""},
                                                                 {"buildDate", ""},
                                                                 {"buildUser", ""},
                                                                 {"goVersion", ""},
                                                                 {"revision", ""},
                                                                 {"version", parts_.version}}}});
}

Response AlertmanagerApi::test(const Request& request) const {
  const auto body = json::parse(request.body);
  if (!body || request.method != "POST") return trouble(400, "expected {\"receiver\"} as JSON");
  const auto key = parts_.test(body->text("receiver"));
  if (!key) return trouble(key.error());
  return json_response(200, json::Object{{"key", *key}});
}

}  // namespace mailwarden::http
