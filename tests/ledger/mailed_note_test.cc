// What is taken for a checkpoint out of files and saved mails.
#include "ledger/mailed_note.h"

#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "json/base64.h"
#include "ledger/note.h"

namespace mailwarden::ledger {
namespace {

std::string note_of(std::uint64_t size) {
  return sign_note(to_text(Checkpoint{.origin = "example.com/log", .size = size}),
                   "example.com/log", crypto::Signer::from_seed({std::byte{1}}));
}

const std::string note = note_of(7);
const std::string other = note_of(8);

std::string with_crlf(const std::string& text) {
  std::string lines;
  for (const char c : text) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return lines;
}

std::string quoted_printable(const std::string& text) {
  std::string coded;
  for (const char c : text) {
    if (c == '=') {
      coded += "=3D";
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      coded += {'=', digits[byte >> 4], digits[byte & 15]};
    } else {
      coded += c;
    }
  }
  return coded.insert(5, "=\n");
}

std::string part(const std::string& type, const std::string& encoding, const std::string& body) {
  return "Content-Type: " + type + "\nContent-Transfer-Encoding: " + encoding + "\n\n" + body;
}
std::string plain(const std::string& body) {
  return part("text/plain; charset=utf-8", "8bit", body);
}
std::string multipart(const std::vector<std::string>& parts) {
  std::string text = "Subject: x\nContent-Type: multipart/mixed;\n boundary=\"b 1\"\n\npreamble\n";
  for (const std::string& one : parts) text += "--b 1\n" + one + "\n";
  return text + "--b 1--\nepilogue\n";
}
const std::string prose = plain("See below.\n");
const std::string coded = part("text/plain", "base64", json::to_base64(with_crlf(note)) + "\n");

struct Case {
  const char* name;
  std::string file;
  std::optional<Code> refused = {};  // nothing: `note` is taken
};

TEST(MailedNote, IsTakenWhereThereIsOneAndNoOther) {
  const std::vector<Case> cases{
      {"a note", note},
      {"a mail that is the note", "Subject: x\n" + plain(note)},
      {"with line ends of mail", with_crlf("Subject: x\n" + plain(note))},
      {"with blank lines behind it", "Subject: x\n" + plain(note + "\n\n")},
      {"in base64", "Subject: x\n" + coded},
      {"in folded base64",
       "Subject: x\n" + part("text/plain", "BASE64", json::to_base64(note).insert(60, "\n"))},
      {"in quoted-printable", part("text/plain", "quoted-printable", quoted_printable(note))},
      {"out of a mailbox", "From warden Mon Nov 24 16:00:00 2025\n" + plain(note)},
      {"as an attachment",
       multipart({prose, part("application/octet-stream", "base64", json::to_base64(note))})},
      {"the same one twice", multipart({plain(note), coded})},
      {"in a part of a part", multipart({multipart({prose, plain(note)})})},
      {"in a mail that was sent on",
       multipart({prose, part("message/rfc822", "8bit", "Subject: y\n" + coded)})},
      {"two that differ", multipart({plain(note), plain(other)}), Code::conflict},
      {"two in two depths", multipart({plain(note), multipart({plain(other)})}), Code::conflict},
      {"a text around it", "Subject: x\n" + plain("Here it is:\n" + note), Code::invalid},
      {"a text behind it", "Subject: x\n" + plain(note + "regards\n"), Code::invalid},
      {"in a page", "Subject: x\n" + part("text/html", "8bit", note), Code::invalid},
      {"in an encoding that is none", "Subject: x\n" + part("text/plain", "rot13", note),
       Code::invalid},
      {"without a boundary", "Content-Type: multipart/mixed\n\n" + prose, Code::invalid},
      {"no mail at all", "Subject: x\n\nnothing\n", Code::invalid}};
  for (const Case& c : cases) {
    const auto taken = checkpoint_note(c.file);
    ASSERT_EQ(taken.has_value(), !c.refused.has_value())
        << c.name << (taken ? "" : ": " + taken.error().what);
    if (taken) {
      EXPECT_EQ(*taken, note) << c.name;
    } else {
      EXPECT_EQ(taken.error().code, *c.refused) << c.name;
    }
  }
}

// What is neither is left as it is, for the reader of notes to say what is wrong with it.
TEST(MailedNote, WhatIsNoMailIsLeftToTheReaderOfNotes) {
  for (const std::string& text : {std::string("no note"), std::string(), note + "more\n",
                                  note.substr(0, 30), with_crlf(note)}) {
    EXPECT_EQ(checkpoint_note(text), text);
  }
}

TEST(MailedNote, DepthAndPartsHaveALimit) {
  std::string deep = plain(note);
  for (std::size_t i = 0; i <= mail_depth_max; ++i) {
    deep = "Content-Type: message/rfc822\n\n" + deep;
  }
  const auto too_deep = checkpoint_note(deep);
  ASSERT_FALSE(too_deep);
  EXPECT_EQ(too_deep.error().code, Code::full);
  const auto too_many =
      checkpoint_note(multipart(std::vector<std::string>(mail_parts_max + 1, prose)));
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().code, Code::full);
}

}  // namespace
}  // namespace mailwarden::ledger
