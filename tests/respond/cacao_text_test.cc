// Variables in texts, and command lines as words.
#include "respond/cacao_text.h"

#include <gtest/gtest.h>

namespace mailwarden::respond::cacao {
namespace {

VariableNames text_names() {
  VariableNames out;
  out.add("__a__", "a");
  out.add("___x__", "_x");
  out.add("__x__", "x");
  out.add("__if-so__", "if-so");
  out.add("__Other__", "v_other");
  return out;
}

struct Text {
  const char* cacao;
  const char* native;
};

constexpr Text texts[] = {{"", ""},
                          {"plain :value", "plain :value"},
                          {"__a__:value", "${a}"},
                          {"of __a__:value, __x__:value!", "of ${a}, ${x}!"},
                          {"__a__:value__x__:value", "${a}${x}"},
                          {"__a__:values", "${a}s"},
                          {"/root/__a__:value.txt", "/root/${a}.txt"},
                          {"a__a__:value", "a${a}"},
                          {"__if-so__:value", "${if-so}"},
                          {"__Other__:value", "${v_other}"},
                          {"__b__:value", "__b__:value"},
                          {"__a__", "__a__"},
                          {"__a:value", "__a:value"},
                          {"${HOME} $5", "${$}{HOME} $5"},
                          {"$__a__:value", "$${a}"},
                          {"___x__:value", "${_x}"},
                          {"-___x__:value", "-${_x}"}};

TEST(CacaoText, HasVariablesByBothNames) {
  for (const Text& text : texts) {
    EXPECT_EQ(to_native_text(text.cacao, text_names()), text.native) << text.cacao;
    EXPECT_EQ(to_cacao_text(text.native, text_names()), text.cacao) << text.native;
  }
}

TEST(CacaoText, TellsWhatNobodyDeclares) {
  EXPECT_EQ(undeclared("__a__:value __b__:value __c__ c__d__:value", text_names()),
            (std::vector<std::string>{"__b__", "__d__"}));
}

TEST(VariableNames, FindsFreeOnes) {
  EXPECT_EQ(text_names().free_native("__a__"), "a_2");
  EXPECT_EQ(text_names().free_native("__c__"), "c");
  EXPECT_EQ(text_names().free_native("__and__"), "v_and");
  EXPECT_EQ(text_names().free_cacao("a"), "__a_2__");
  EXPECT_EQ(text_names().free_cacao("incident.entity"), "__incident_entity__");
  EXPECT_EQ(text_names().free_cacao("5"), "__v_5__");
  for (const char* name : {"__", "____", "__5__", "__a b__", "a", "__a.b__"}) {
    EXPECT_FALSE(is_cacao_name(name)) << name;
  }
}

struct Line {
  const char* name;
  const char* line;
  std::vector<std::string> words;
};

TEST(ReadWords, TakesWhatNeedsNoShell) {
  const std::vector<Line> lines{{"nothing", "", {}},
                                {"blanks", " \t ", {}},
                                {"plain", "/bin/a  -x --y=z,1", {"/bin/a", "-x", "--y=z,1"}},
                                {"single", "a 'b  c' ''", {"a", "b  c", ""}},
                                {"double", R"(a "b 'c'")", {"a", "b 'c'"}},
                                {"joined", R"(a'b c'"d")", {"ab cd"}},
                                {"a_quote", R"('it'\''s')", {"it's"}},
                                {"single_keeps_all", R"('$(x) `y` \ !')", {"$(x) `y` \\ !"}}};
  for (const Line& one : lines) {
    const auto words = read_words(one.line);
    ASSERT_TRUE(words) << one.name;
    EXPECT_EQ(*words, one.words) << one.name;
    EXPECT_EQ(read_words(write_words(*words)), words) << one.name;
  }
}

TEST(ReadWords, LeavesToAShellWhatIsAShells) {
  for (const char* line :
       {"a|b",   "a;b", "a&",  "a>b",    "a<b",     "$x",         "`x`",     "a\nb",
        "~",     "*",   "a?",  "[a]",    "{a,b}",   "#a",         "(a)",     "!a",
        "a\\ b", "'a",  "\"a", "\"$a\"", "\"`a`\"", "\"a\\\"b\"", "\xc3\xa4"}) {
    EXPECT_FALSE(read_words(line)) << line;
  }
}

TEST(Slug, IsPartOfAnId) {
  EXPECT_EQ(slug("Lock the account!", 64), "lock-the-account");
  EXPECT_EQ(slug("  7 -- Ask 3 people", 64), "ask-3-people");
  EXPECT_EQ(slug("\xc3\xa4", 64), "");
  EXPECT_EQ(slug("abc def", 4), "abc");
}

}  // namespace
}  // namespace mailwarden::respond::cacao
