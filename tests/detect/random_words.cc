// The words that random rules and events are made of.
#include "tests/detect/random_line.h"

namespace mailwarden::random_rules {
namespace {

// Texts that are parts of one another, and texts with a trap in them. Fewer than all in one case.
const std::vector<std::vector<std::string>> families{
    {"abc", "a", "ab", "bc", "b", "abab", "cab", "abcabd", "ABC", "aB"},
    {R"(C:\Windows\System32\cmd.exe)", R"(C:\Windows)", R"(\System32\)", R"(\cmd.exe)", "cmd.exe",
     "cmd", "exe", ".exe", R"(C:\)", R"(\\server\c$)", R"(\)"},
    {"x -enc y", "-enc", "/enc", " -e", "–enc", "—E ―f", "a-b", "--x", "-", "/c -f", "-a -b /c"},
    {"straße", "ß", "ss", "ſ", "ſſ", "STRASSE", "ẞ", "s", "S"},
    {"K", "k", "K-pop", "İ", "i", "ı", "I", "İstanbul", "istanbul", "kİ"},
    {"ÄÖ", "äö", "é", "e\xCC\x81", "É", "𐐷", "𐐏", "€", "ΣΑΣ", "σας", "ς"},
    {"5", "5.0", "05", "5 ", "50", "-5", "0", "-0", "1e1", "10", "0x5", "+5", "1.0"},
    {"a*b", "a?b", "a\\*b", "*", "?", "\\\\", "a\\b", "a%b", "100%", "%one%", "**"},
    {"2024-02-29T13:07:00Z", "2024-02-29", "2024-12-30 23:59", "13:07", "2024"},
    {"10.1.2.3", "192.0.2.1", "::ffff:10.1.2.3", "2001:db8::1", "10.1", "192.0.2.1:22"},
    {"Failed password for root from 192.0.2.1", "Failed", "password", "root", "for root from",
     "word", "sword for", "or"},
    {"one\ntwo", "one", "two", "one two", "\n", "on", "tw", "e\nt"},
    {"true", "false", "null", "True", "tru", "", "~"}};

const std::vector<std::string> fields{
    "a",           "b",         "CommandLine",     "A",         "outer.inner",     "outer",
    "Source Name", "user.name", "src_endpoint.ip", "class_uid", "actor.user.name", "c-uri",
    "email.to"};

}  // namespace

const oracle::Placeholders& placeholders() {
  static const oracle::Placeholders all{
      {"one", {"ab"}}, {"two", {"a*", "cmd"}}, {"three", {"root", "5", "-enc"}}, {"nothing", {}}};
  return all;
}

const std::vector<std::string>& ill_formed_texts() {
  static const std::vector<std::string> texts{
      "\xFF", "a\xC3", "\xE2\x82", "\xC0\xAF", "ab\xFF!", "\xED\xA0\x80", "abc\xF0\x90\x90"};
  return texts;
}

const std::vector<std::string>& numbers() {
  static const std::vector<std::string> all{"5",
                                            "5.0",
                                            "05",
                                            "0",
                                            "-5",
                                            "10",
                                            "1e1",
                                            "22",
                                            "100",
                                            "-0",
                                            "4.9",
                                            "5e-1",
                                            "0.5",
                                            "3002",
                                            "050",
                                            "9007199254740992",
                                            "9007199254740993"};
  return all;
}

Vocabulary make_vocabulary(Choices& choices) {
  Vocabulary vocabulary;
  const std::size_t first = choices.below(families.size());
  const std::size_t second = choices.below(families.size());
  for (const std::size_t family : {first, second}) {
    const std::size_t count = 2 + choices.below(3);
    for (std::size_t i = 0; i < count; ++i) {
      vocabulary.words.push_back(choices.of(families[family]));
    }
  }
  const std::size_t count = 2 + choices.below(3);
  for (std::size_t i = 0; i < count; ++i) {
    // The first few names come more often than the others.
    const std::size_t names = choices.one_in(2) ? fields.size() : 4;
    vocabulary.fields.push_back(fields[choices.below(names)]);
  }
  return vocabulary;
}

}  // namespace mailwarden::random_rules
