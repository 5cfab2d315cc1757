// What a mail says, for people.
//
// What     read_mail() takes out of a message whom it is from, its subject, its text and the names
//          of what is attached. Whatever cannot be read as a mail is text itself: nothing that
//          somebody sends is lost for being ill-formed.
// Owns     Nothing.
// Threads  Any.
// Errors   None.
// Limits   MailLimits; what is longer is cut, and says so.
// Source   RFC 5322, RFC 2045 to 2049; read by GMime.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mailwarden::net {

struct MailLimits {
  static constexpr std::size_t text_bytes_max = std::size_t{48} * 1024;
  static constexpr std::size_t subject_bytes_max = 400;
  static constexpr std::size_t attachments_max = 50;
};

struct ReceivedMail {
  std::string from;     // the address; "" where there is none
  std::string subject;  // UTF-8
  std::string id;       // Message-ID without its brackets; "" where there is none
  std::string thread;   // the first mail of the conversation; of a first one its own id
  std::string text;     // UTF-8, of the first part that is plain text, or else of any text
  std::vector<std::string> attachments;  // names, "" where one has none
};

ReceivedMail read_mail(std::string_view bytes);

}  // namespace mailwarden::net
