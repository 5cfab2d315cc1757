#include "detect/attribute.h"

#include <charconv>

namespace mailwarden::detect {
namespace {

std::string_view digits(int number, AttributeBuffer& buffer) {
  return {buffer.data(), std::to_chars(buffer.begin(), buffer.end(), number).ptr};
}

}  // namespace

Attribute attribute_named(std::string_view name) {
  for (const auto& [known, attribute] : attribute_names) {
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
