// The normal form's attributes, by the names under which rules may use them.
//
// What     A name is looked up once, when a rule is read; what it means is then taken from an event
//          without comparing names.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: a name that is no attribute is Attribute::none.
// Limits   None.
// Source   OCSF 1.x attribute names.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "event/event.h"

namespace mailwarden::detect {

enum class Attribute : std::uint8_t {
  none,
  src_ip,
  user,
  actor_user,
  device,
  resource,
  service,
  email_from,
  email_to,
  class_uid,
  activity_id,
  status_id
};

inline constexpr std::array<std::pair<std::string_view, Attribute>, 11> attribute_names{
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

Attribute attribute_named(std::string_view name);

// Where the text of a number may stand, which no event holds as text.
using AttributeBuffer = std::array<char, 20>;

// "" where the event does not tell it; good as long as event and buffer are.
std::string_view attribute_of(const Event& event, Attribute attribute, AttributeBuffer& buffer);

}  // namespace mailwarden::detect
