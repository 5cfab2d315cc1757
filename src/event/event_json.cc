#include "event/event_json.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "json/base64.h"
#include "json/value.h"

namespace mailwarden {
namespace {

using json::append_string;

// Writes members in the order they are given, which callers keep sorted.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  void end() { out_ += '}'; }

  std::string& name(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;  // only names from this file, which need no escape
    out_ += "\":";
    return out_;
  }
  void text(std::string_view name_text, std::string_view value) {
    if (!value.empty()) append_string(name(name_text), value);
  }
  void integer(std::string_view name_text, std::int64_t value) {
    name(name_text) += std::to_string(value);
  }
  // {"name":{"inner":"value"}}
  void wrapped(std::string_view name_text, std::string_view inner, std::string_view value) {
    if (value.empty()) return;
    std::string& out = name(name_text);
    out += "{\"";
    out += inner;
    out += "\":";
    append_string(out, value);
    out += '}';
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_value(std::string& out, const Field& field) {
  switch (field.kind) {
    case FieldKind::string:
      append_string(out, field.value);
      break;
    case FieldKind::null:
      out += "null";
      break;
    case FieldKind::number:
    case FieldKind::boolean:
      out += field.value;
      break;
  }
}

void append_fields(std::string& out, const Fields& fields) {
  std::vector<Field> sorted;
  sorted.reserve(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) sorted.push_back(fields[i]);
  std::ranges::stable_sort(sorted, {}, &Field::name);
  out += '{';
  for (std::size_t i = 0; i < sorted.size();) {
    if (i > 0) out += ',';
    append_string(out, sorted[i].name);
    out += ':';
    std::size_t end = i + 1;
    while (end < sorted.size() && sorted[end].name == sorted[i].name) ++end;
    const bool list = end > i + 1;
    if (list) out += '[';
    for (std::size_t k = i; k < end; ++k) {
      if (k > i) out += ',';
      append_value(out, sorted[k]);
    }
    if (list) out += ']';
    i = end;
  }
  out += '}';
}

bool is_address(std::string_view text) {
  return text.contains(':') ||
         (!text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos);
}

void append_source_endpoint(std::string& out, const Ocsf& ocsf) {
  Members endpoint(out);
  endpoint.text(is_address(ocsf.src_ip) ? "ip" : "hostname", ocsf.src_ip);
  if (ocsf.src_port > 0) endpoint.integer("port", ocsf.src_port);
  endpoint.end();
}

void append_email(std::string& out, const Ocsf& ocsf) {
  Members email(out);
  email.text("from", ocsf.email_from);
  if (!ocsf.email_to.empty()) {
    std::string& to = email.name("to");
    to += '[';
    append_string(to, ocsf.email_to);
    to += ']';
  }
  email.end();
}

void append_ocsf(std::string& out, const Ocsf& ocsf) {
  Members members(out);
  members.integer("activity_id", ocsf.activity_id);
  if (!ocsf.actor_user.empty()) {
    std::string& actor = members.name("actor");
    actor += "{\"user\":{\"name\":";
    append_string(actor, ocsf.actor_user);
    actor += "}}";
  }
  members.integer("class_uid", ocsf.class_uid);
  members.wrapped("device", "hostname", ocsf.device);
  members.wrapped("dst_endpoint", "hostname", ocsf.dst);
  if (!ocsf.email_from.empty() || !ocsf.email_to.empty()) append_email(members.name("email"), ocsf);
  if (ocsf.is_mfa) members.name("is_mfa") += *ocsf.is_mfa ? "true" : "false";
  members.text("message", ocsf.message);
  if (!ocsf.resource.empty()) {
    std::string& resources = members.name("resources");
    resources += "[{\"name\":";
    append_string(resources, ocsf.resource);
    resources += "}]";
  }
  members.wrapped("service", "name", ocsf.service);
  if (!ocsf.src_ip.empty() || ocsf.src_port > 0) {
    append_source_endpoint(members.name("src_endpoint"), ocsf);
  }
  members.integer("status_id", static_cast<std::int64_t>(ocsf.status));
  members.wrapped("user", "name", ocsf.user);
  members.end();
}

void add_field(Fields& fields, const std::string& name, const json::Value& value) {
  if (const auto* items = value.as_array()) {
    for (const json::Value& item : *items) add_field(fields, name, item);
  } else if (const auto* text = value.as_string()) {
    fields.add(name, *text);
  } else if (const auto* truth = value.as_bool()) {
    fields.add(name, *truth ? "true" : "false", FieldKind::boolean);
  } else if (value.is_null()) {
    fields.add(name, "", FieldKind::null);
  } else {
    fields.add(name, json::to_text(value), FieldKind::number);
  }
}

Ocsf read_ocsf(const json::Value& value) {
  Ocsf ocsf;
  ocsf.activity_id = static_cast<int>(value.integer("activity_id"));
  ocsf.actor_user = value["actor"]["user"].text("name");
  ocsf.class_uid = static_cast<int>(value.integer("class_uid"));
  ocsf.device = value["device"].text("hostname");
  ocsf.dst = value["dst_endpoint"].text("hostname");
  ocsf.email_from = value["email"].text("from");
  if (const auto* to = value["email"]["to"].as_array(); to != nullptr && !to->empty()) {
    if (const auto* first = to->front().as_string()) ocsf.email_to = *first;
  }
  if (const bool* is_mfa = value["is_mfa"].as_bool()) ocsf.is_mfa = *is_mfa;
  ocsf.message = value.text("message");
  if (const auto* resources = value["resources"].as_array();
      resources != nullptr && !resources->empty()) {
    ocsf.resource = resources->front().text("name");
  }
  ocsf.service = value["service"].text("name");
  const json::Value& source = value["src_endpoint"];
  ocsf.src_ip = source.text("ip", source.text("hostname"));
  ocsf.src_port = static_cast<int>(source.integer("port"));
  ocsf.status = static_cast<Outcome>(value.integer("status_id"));
  ocsf.user = value["user"].text("name");
  return ocsf;
}

}  // namespace

void append_json(std::string& out, const Event& event) {
  Members members(out);
  members.text("decoder", event.decoder);
  append_fields(members.name("fields"), event.fields);
  std::string& id = members.name("id");
  id += '"';
  id += to_string(event.id);
  id += '"';
  Members logsource(members.name("logsource"));
  logsource.text("category", event.logsource.category);
  logsource.text("product", event.logsource.product);
  logsource.text("service", event.logsource.service);
  logsource.end();
  append_ocsf(members.name("ocsf"), event.ocsf);
  if (is_utf8(event.raw)) {
    append_string(members.name("raw"), event.raw);
  } else {
    append_string(members.name("raw_base64"), json::to_base64(event.raw));
  }
  append_string(members.name("source"), event.source);
  std::string& time = members.name("time");
  time += '"';
  append_rfc3339(time, event.time);
  time += '"';
  members.text("undecoded", event.undecoded);
  members.end();
}

std::string to_json(const Event& event) {
  std::string out;
  append_json(out, event);
  return out;
}

Result<Event> parse_event(std::string_view text) {
  const auto value = json::parse(text);
  if (!value) return fail(Code::corrupt, "stored event: " + value.error().what);
  Event event;
  const auto id = parse_event_id(value->text("id"));
  const auto time = parse_rfc3339(value->text("time"));
  const auto* fields = (*value)["fields"].as_object();
  if (!id || !time || fields == nullptr) {
    return fail(Code::corrupt, "stored event: id, time or fields are missing or misshapen");
  }
  event.id = *id;
  event.time = *time;
  event.source = value->text("source");
  event.decoder = value->text("decoder");
  const json::Value& logsource = (*value)["logsource"];
  event.logsource = {.product = logsource.text("product"),
                     .category = logsource.text("category"),
                     .service = logsource.text("service")};
  for (const auto& [name, field] : *fields) add_field(event.fields, name, field);
  event.ocsf = read_ocsf((*value)["ocsf"]);
  if (const std::string* base64 = (*value)["raw_base64"].as_string()) {
    auto raw = json::from_base64(*base64);
    if (!raw) return fail(Code::corrupt, "stored event: " + raw.error().what);
    event.raw = *std::move(raw);
  } else {
    event.raw = value->text("raw");
  }
  event.undecoded = value->text("undecoded");
  return event;
}

}  // namespace mailwarden
