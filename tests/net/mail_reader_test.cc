#include "net/mail_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailwarden::net {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(MailReaderTest, ReadsAPlainMail) {
  const ReceivedMail mail = read_mail(
      "From: Ann Example <ann@example.com>\r\nTo: security@example.org\r\n"
      "Subject: A weakness\r\nMessage-ID: <1@example.com>\r\n\r\nYour form takes scripts.\r\n");
  EXPECT_EQ(mail.from, "ann@example.com");
  EXPECT_EQ(mail.subject, "A weakness");
  EXPECT_EQ(mail.id, "1@example.com");
  EXPECT_EQ(mail.thread, "1@example.com");
  EXPECT_EQ(mail.text, "Your form takes scripts.\r\n");
  EXPECT_THAT(mail.attachments, IsEmpty());
}

TEST(MailReaderTest, DecodesHeadersAndBodies) {
  const ReceivedMail mail = read_mail(
      "From: =?UTF-8?Q?J=C3=B6rg?= <joerg@example.com>\n"
      "Subject: =?ISO-8859-1?Q?L=FCcke?= =?UTF-8?B?IGltIEZvcm11bGFy?=\n"
      "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
      "quoted-printable\n\nGr=FC=DFe\n");
  EXPECT_EQ(mail.subject,
            "L\xC3\xBC"
            "cke im Formular");
  EXPECT_EQ(mail.text,
            "Gr\xC3\xBC\xC3\x9F"
            "e\n");
}

TEST(MailReaderTest, TakesThePlainPartAndNamesWhatIsAttached) {
  const ReceivedMail mail = read_mail(
      "From: ann@example.com\nSubject: x\nMIME-Version: 1.0\n"
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; "
      "boundary=c\n\n--c\nContent-Type: text/html\n\n<p>rich</p>\n--c\nContent-Type: "
      "text/plain\n\nplain\n--c--\n--b\nContent-Type: application/pdf\nContent-Disposition: "
      "attachment; filename=\"proof.pdf\"\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n");
  EXPECT_EQ(mail.text, "plain");
  EXPECT_THAT(mail.attachments, ElementsAre("proof.pdf"));
}

TEST(MailReaderTest, AConversationIsKnownByItsFirstMail) {
  const auto thread = [](const std::string& headers) {
    return read_mail("Message-ID: <3@x>\n" + headers + "\n\ntext\n").thread;
  };
  EXPECT_EQ(thread("References: <1@x> <2@x>\nIn-Reply-To: <2@x>"), "1@x");
  EXPECT_EQ(thread("In-Reply-To: <2@x>"), "2@x");
  EXPECT_EQ(thread("References: "), "3@x");
}

TEST(MailReaderTest, WhatIsNoMailIsText) {
  EXPECT_EQ(read_mail("\x01\x02 just bytes").from, "");
  EXPECT_THAT(read_mail("help, we are being attacked").text, HasSubstr("help, we are being"));
  EXPECT_EQ(read_mail("").text, "");
  EXPECT_THAT(read_mail("Subject: only a subject\n\n").subject, "only a subject");
}

TEST(MailReaderTest, WhatIsTooLongIsCutInWholeCharacters) {
  std::string text;
  while (text.size() <= MailLimits::text_bytes_max) text += "\xC3\xBC";
  const ReceivedMail mail = read_mail("Subject: " + std::string(2000, 'x') + "\n\n" + text);
  EXPECT_THAT(mail.text, EndsWith("\xC3\xBC [cut]"));
  EXPECT_LE(mail.text.size(), MailLimits::text_bytes_max + 6);
  EXPECT_THAT(mail.subject, EndsWith(" [cut]"));
}

TEST(MailReaderTest, AttachmentsHaveALimit) {
  std::string bytes = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 100; ++i) {
    bytes += "--b\nContent-Type: application/pdf; name=a.pdf\n\nx\n";
  }
  EXPECT_THAT(read_mail(bytes + "--b--\n").attachments, SizeIs(MailLimits::attachments_max));
}

}  // namespace
}  // namespace mailwarden::net
