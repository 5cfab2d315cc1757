// Carries one alert to its receiver.
//
// What     deliver() makes one try. Each may be repeated: the receiver can tell a repetition by a
//          key that is the same for every try, and the file is the same file.
//            webhook       the CloudEvent by POST, the key as Idempotency-Key, signed where there
//                          are secrets
//            smtp          a mail whose Message-ID comes from the key
//            folder        a file named by the key
//            pagerduty     a trigger, acknowledgement or resolution, by a key of the incident
//            opsgenie      the same, by an alias of the incident
//            slack         a message
//            alertmanager  an alert, whose labels name the incident
// Owns     Nothing.
// Threads  Any; one Client a thread.
// Errors   unavailable: try again, and not before what the receiver asked for. denied, invalid: it
//          will never be taken. io: the folder cannot be written; try again. Of answers, 408, 409,
//          425, 429 and those from 500 on ask for another try, other than 2xx refuse for good. The
//          sentence names the receiver and what it answered, and holds no secret.
// Limits   answers are read up to 64 KiB.
// Source   CloudEvents 1.0.2 HTTP binding, structured mode;
//          draft-ietf-httpapi-idempotency-key-header; Standard Webhooks 1.0.0; RFC 5322, RFC 2045,
//          RFC 2047; PagerDuty's Events API v2; Opsgenie's Alert API v2; Slack's incoming webhooks;
//          Alertmanager's API v2.
#pragma once

#include <expected>
#include <string>

#include "alert/routes.h"
#include "base/result.h"
#include "base/timestamp.h"

namespace mailwarden::alert {

struct Undelivered {
  Code code = Code::unavailable;
  std::string what;
  Duration pause{};  // what the receiver asked for; zero where it did not
};
using Delivery = std::expected<void, Undelivered>;

Delivery deliver(const Receiver& receiver, const Alert& alert, Timestamp now);

// The mail of an alert, with CR LF.
std::string to_mail(const Receiver& receiver, const Alert& alert);

}  // namespace mailwarden::alert
