// Which program's messages go to which reader.
//
// What     One sorted table from a program's plain name (lower case, without folder, parameters or
//          instance) to the reader of its messages and Sigma's service.
// Owns     Nothing.
// Threads  Pure.
// Errors   A program that the table does not have is not an error: nothing is found.
// Limits   None.
#pragma once

#include <string_view>

#include "event/event.h"
#include "ingest/decode/draft.h"

namespace mailwarden::ingest {

struct Program {
  std::string_view name;
  std::string_view decoder;
  MessageFunction read;
  std::string_view service;  // of the log source
};

// `tag` as it stands in the line: "sshd", "/usr/sbin/cron", "su(pam_unix)", "postfix/smtpd".
const Program* find_program(std::string_view tag);

// Fills decoder, logsource and normal form for a program's message and reads it. Text "message
// repeated N times: [ inner ]" is read as its inner text.
void read_message(Event& event, std::string_view tag, std::string_view message,
                  const DecoderEntry* forced);

}  // namespace mailwarden::ingest
