#include "detect/attribute.h"

#include <charconv>
#include <utility>

namespace mailwarden::detect {
namespace {

constexpr std::array<std::pair<std::string_view, Attribute>, 11> names{
    {{"src_endpoint.ip", Attribute::src_ip},
     {"user.name", Attribute::user},
     {"actor.user.name", Attribute::actor_user},
     {"device.hostname", Attribute::device},
     {"resources.name", Attribute::resource},
     {"service.name", Attribute::service},
     {"email.from", Attribute::email_from},
     {"email.to", Attribute::email_to},
     {"class_uid", Attribute::class_uid},
     {"activity_id", Attribute::activity_id},
     {"status_id", Attribute::status_id}}};

std::string_view digits(int number, AttributeBuffer& buffer) {
  return {buffer.data(), std::to_chars(buffer.begin(), buffer.end(), number).ptr};
}

}  // namespace

Attribute attribute_named(std::string_view name) {
  for (const auto& [known, attribute] : names) {
    if (known == name) return attribute;
  }
  return Attribute::none;
}

std::string_view attribute_of(const Event& event, Attribute attribute, AttributeBuffer& buffer) {
  const Ocsf& ocsf = event.ocsf;
  switch (attribute) {
    case Attribute::none:
      return {};
    case Attribute::src_ip:
      return ocsf.src_ip;
    case Attribute::user:
      return ocsf.user;
    case Attribute::actor_user:
      return ocsf.actor_user;
    case Attribute::device:
      return ocsf.device;
    case Attribute::resource:
      return ocsf.resource;
    case Attribute::service:
      return ocsf.service;
    case Attribute::email_from:
      return ocsf.email_from;
    case Attribute::email_to:
      return ocsf.email_to;
    case Attribute::class_uid:
      return digits(ocsf.class_uid, buffer);
    case Attribute::activity_id:
      return digits(ocsf.activity_id, buffer);
    case Attribute::status_id:
      return digits(static_cast<int>(ocsf.status), buffer);
  }
  return {};
}

}  // namespace mailwarden::detect
