#include "net/mail_reader.h"

#include <memory>

#include <gmime/gmime.h>

#include "base/text.h"

namespace mailwarden::net {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Held = std::unique_ptr<T, Unref>;

struct FreeText {
  void operator()(void* memory) const { g_free(memory); }
};

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

// In whole characters.
std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + " [cut]";
}

std::string address_of(GMimeMessage* message) {
  InternetAddressList* const list = g_mime_message_get_from(message);
  if (list == nullptr || internet_address_list_length(list) == 0) return {};
  InternetAddress* const first = internet_address_list_get_address(list, 0);
  if (!INTERNET_ADDRESS_IS_MAILBOX(first)) return {};
  return text_of(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first)));
}

// The first mail of the conversation, as References tell it, or else In-Reply-To.
std::string thread_of(GMimeMessage* message, const std::string& id) {
  for (const char* const name : {"References", "In-Reply-To"}) {
    const char* const value = g_mime_object_get_header(GMIME_OBJECT(message), name);
    if (value == nullptr) continue;
    GMimeReferences* const references = g_mime_references_parse(nullptr, value);
    std::string first;
    if (g_mime_references_length(references) > 0) {
      first = text_of(g_mime_references_get_message_id(references, 0));
    }
    g_mime_references_free(references);
    if (!first.empty()) return first;
  }
  return id;
}

struct Parts {
  std::string plain;
  std::string other;  // the first text that is not plain
  std::vector<std::string> attachments;
};

void take_part(GMimeObject* /*parent*/, GMimeObject* part, void* into) {
  auto& parts = *static_cast<Parts*>(into);
  if (!GMIME_IS_PART(part)) return;
  const bool is_attachment = g_mime_part_is_attachment(GMIME_PART(part)) != 0;
  if (GMIME_IS_TEXT_PART(part) && !is_attachment) {
    const std::unique_ptr<char, FreeText> text(g_mime_text_part_get_text(GMIME_TEXT_PART(part)));
    GMimeContentType* const type = g_mime_object_get_content_type(part);
    std::string& kept =
        g_mime_content_type_is_type(type, "text", "plain") != 0 ? parts.plain : parts.other;
    if (kept.empty()) kept = text_of(text.get());
    return;
  }
  if (parts.attachments.size() < MailLimits::attachments_max) {
    parts.attachments.push_back(printable(text_of(g_mime_part_get_filename(GMIME_PART(part)))));
  }
}

std::string finished(std::string text) {
  return cut(to_utf8(text), MailLimits::text_bytes_max);
}

}  // namespace

ReceivedMail read_mail(std::string_view bytes) {
  g_mime_init();
  const Held<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const Held<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const Held<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
  if (message == nullptr) return {.text = finished(std::string(bytes))};
  ReceivedMail mail{.from = to_utf8(address_of(message.get())),
                    .subject = cut(to_utf8(text_of(g_mime_message_get_subject(message.get()))),
                                   MailLimits::subject_bytes_max),
                    .id = to_utf8(text_of(g_mime_message_get_message_id(message.get())))};
  mail.thread = to_utf8(thread_of(message.get(), mail.id));
  Parts parts;
  GMimeObject* const whole = g_mime_message_get_mime_part(message.get());
  if (whole != nullptr && GMIME_IS_MULTIPART(whole)) {
    g_mime_message_foreach(message.get(), take_part, &parts);
  } else if (whole != nullptr) {
    take_part(nullptr, whole, &parts);
  }
  mail.text = finished(parts.plain.empty() ? std::move(parts.other) : std::move(parts.plain));
  // Somebody wrote something: better all of it than nothing.
  if (mail.text.empty() && parts.attachments.empty()) mail.text = finished(std::string(bytes));
  mail.attachments = std::move(parts.attachments);
  return mail;
}

}  // namespace mailwarden::net
