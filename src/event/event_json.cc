#include "event/event_json.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/text.h"
#include "json/base64.h"
#include "json/value.h"
#include "json/writer.h"

namespace mailwarden {
namespace {

using json::Writer;

// Writes members in the order they are given, which callers keep sorted.
class Members {
 public:
  explicit Members(Writer& out) : out_(out) { out_.raw('{'); }
  void end() { out_.raw('}'); }

  // Only names from this file, which need no escape.
  Writer& name(std::string_view name) {
    out_.raw(first_ ? std::string_view("\"") : std::string_view(",\""));
    first_ = false;
    out_.raw(name);
    out_.raw("\":");
    return out_;
  }
  void text(std::string_view name_text, std::string_view value) {
    if (!value.empty()) name(name_text).string(value);
  }
  void integer(std::string_view name_text, std::int64_t value) { name(name_text).integer(value); }
  // {"name":{"inner":"value"}}
  void wrapped(std::string_view name_text, std::string_view inner, std::string_view value) {
    if (value.empty()) return;
    name(name_text);
    Members member(out_);
    member.text(inner, value);
    member.end();
  }

 private:
  Writer& out_;
  bool first_ = true;
};

void append_value(Writer& out, const Field& field) {
  switch (field.kind) {
    case FieldKind::string:
      out.string(field.value);
      break;
    case FieldKind::null:
      out.raw("null");
      break;
    case FieldKind::number:
    case FieldKind::boolean:
      out.raw(field.value);
      break;
  }
}

// Most events have few fields, which come nearly in order; sorting them in place needs no memory.
void sort_by_name(std::span<Field> fields) {
  constexpr std::size_t few = 64;
  if (fields.size() > few) {
    std::ranges::stable_sort(fields, {}, &Field::name);
    return;
  }
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const Field field = fields[i];
    std::size_t to = i;
    for (; to > 0 && field.name < fields[to - 1].name; --to) fields[to] = fields[to - 1];
    fields[to] = field;
  }
}

void append_fields(Writer& out, const Fields& fields) {
  std::vector<Field> sorted;
  sorted.reserve(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) sorted.push_back(fields[i]);
  sort_by_name(sorted);
  out.raw('{');
  for (std::size_t i = 0; i < sorted.size();) {
    if (i > 0) out.raw(',');
    out.string(sorted[i].name);
    out.raw(':');
    std::size_t end = i + 1;
    while (end < sorted.size() && sorted[end].name == sorted[i].name) ++end;
    const bool list = end > i + 1;
    if (list) out.raw('[');
    for (std::size_t k = i; k < end; ++k) {
      if (k > i) out.raw(',');
      append_value(out, sorted[k]);
    }
    if (list) out.raw(']');
    i = end;
  }
  out.raw('}');
}

bool is_address(std::string_view text) {
  return text.contains(':') ||
         (!text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos);
}

void append_source_endpoint(Writer& out, const Ocsf& ocsf) {
  Members endpoint(out);
  endpoint.text(is_address(ocsf.src_ip) ? "ip" : "hostname", ocsf.src_ip);
  if (ocsf.src_port > 0) endpoint.integer("port", ocsf.src_port);
  endpoint.end();
}

void append_email(Writer& out, const Ocsf& ocsf) {
  Members email(out);
  email.text("from", ocsf.email_from);
  if (!ocsf.email_to.empty()) {
    email.name("to").raw('[');
    out.string(ocsf.email_to);
    out.raw(']');
  }
  email.end();
}

void append_ocsf(Writer& out, const Ocsf& ocsf) {
  Members members(out);
  members.integer("activity_id", ocsf.activity_id);
  if (!ocsf.actor_user.empty()) {
    members.name("actor");
    Members actor(out);
    actor.wrapped("user", "name", ocsf.actor_user);
    actor.end();
  }
  members.integer("class_uid", ocsf.class_uid);
  members.wrapped("device", "hostname", ocsf.device);
  members.wrapped("dst_endpoint", "hostname", ocsf.dst);
  if (!ocsf.email_from.empty() || !ocsf.email_to.empty()) append_email(members.name("email"), ocsf);
  if (ocsf.is_mfa) members.name("is_mfa").raw(*ocsf.is_mfa ? "true" : "false");
  members.text("message", ocsf.message);
  if (!ocsf.resource.empty()) {
    members.name("resources").raw('[');
    Members resource(out);
    resource.text("name", ocsf.resource);
    resource.end();
    out.raw(']');
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

void append_json(std::string& text, const Event& event) {
  Writer out(text);
  Members members(out);
  members.text("decoder", event.decoder);
  append_fields(members.name("fields"), event.fields);
  members.name("id").raw('"');
  out.raw(to_string(event.id));
  out.raw('"');
  Members logsource(members.name("logsource"));
  logsource.text("category", event.logsource.category);
  logsource.text("product", event.logsource.product);
  logsource.text("service", event.logsource.service);
  logsource.end();
  append_ocsf(members.name("ocsf"), event.ocsf);
  if (is_utf8(event.raw)) {
    members.name("raw").string(event.raw);
  } else {
    members.name("raw_base64").string(json::to_base64(event.raw));
  }
  members.name("source").string(event.source);
  members.name("time").raw('"');
  const auto time = rfc3339_text(event.time);
  out.raw({time.data(), time.size()});
  out.raw('"');
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
