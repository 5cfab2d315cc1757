// Carries one alert to its receiver.
//
// What     deliver() makes one try: a POST of the CloudEvent with the key as Idempotency-Key, a
//          mail whose Message-ID comes from the key, or a file named by the key. Each may be
//          repeated: the receiver can tell a repetition by the key, and the file is the same file.
// Owns     Nothing.
// Threads  Any; one Client a thread.
// Errors   unavailable: try again. denied, invalid: it will never be taken. io: the folder cannot
//          be written; try again.
// Limits   answers are read up to 64 KiB.
// Source   CloudEvents 1.0.2 HTTP binding, structured mode;
//          draft-ietf-httpapi-idempotency-key-header; RFC 5322, RFC 2045, RFC 2047.
#pragma once

#include "alert/routes.h"
#include "base/result.h"

namespace mailwarden::alert {

Result<void> deliver(const Receiver& receiver, const Alert& alert);

// The mail of an alert, with CR LF.
std::string to_mail(const Receiver& receiver, const Alert& alert);

}  // namespace mailwarden::alert
