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

Attribute attribute_named(std::string_view name);

// Where the text of a number may stand, which no event holds as text.
using AttributeBuffer = std::array<char, 20>;

// "" where the event does not tell it; good as long as event and buffer are.
std::string_view attribute_of(const Event& event, Attribute attribute, AttributeBuffer& buffer);

}  // namespace mailwarden::detect
