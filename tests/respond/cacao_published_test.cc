// The examples that others published: which are read, which are refused and why. Outside data:
// MAILWARDEN_CACAO names a folder that holds the files of oasis-tcs/cacao (Examples/CACAO-2.0 and
// Extensions/layout/examples) and of COSSAS/SOARCA (examples, test/playbooks).
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "respond/cacao.h"
#include "tests/temporary.h"

namespace mailwarden::respond {
namespace {

struct Published {
  const char* file;
  std::size_t steps = 0;     // of ours, where it is read
  const char* refused = "";  // what the refusal says
  const char* note = "";     // one of the notes
};

constexpr Published published[] = {
    {.file = "basic-example-1.json", .steps = 1, .note = "the daemon does no 'ssh'"},
    {.file = "locky-bart-mbc-examples.json", .steps = 9, .note = "no whole path says what runs"},
    {.file = "identity-object.json", .refused = "/type: must be 'playbook'; this is 'identity'"},
    {.file = "spec-3.1-example.json", .steps = 1},
    {.file = "playbook--aa1898b6-5251-49b4-aeb7-fd5e912583ff.json",
     .refused = "72c55a11-5091-4714-8050-baa854d72eda/switch: is missing"},
    {.file = "fin-playbook.json", .steps = 1, .note = "the daemon does no 'pong'"},
    {.file = "http-playbook.json", .steps = 1},
    {.file = "manual-playbook.json", .steps = 1},
    {.file = "openc2-playbook.json", .steps = 1, .note = "the daemon does no 'openc2'"},
    {.file = "powershell-playbook.json", .steps = 1, .note = "the daemon does no 'powershell'"},
    {.file = "ssh-playbook.json", .steps = 2, .note = "the daemon does no 'ssh'"},
    {.file = "playbook.json", .steps = 4, .note = "/workflow_start: leads to no start step"},
    {.file = "invalid_playbook.json", .steps = 4, .note = "the host is a variable"},
    {.file = "invalid_email_playbook.json",
     .steps = 4,
     .note = "/workflow_exception: there is no step"},
    {.file = "infinite_playbook.json", .refused = "without a while-condition"},
    {.file = "missing_step_playbook.json", .refused = "there is no step end--6b23c237"},
    {.file = "changed-playbook.json", .refused = "/workflow: must be an object"},
    {.file = "parallels_playbook.json", .refused = "fewer than two branches have anything to do"}};

class CacaoPublished : public testing::TestWithParam<Published> {};

TEST_P(CacaoPublished, IsReadAndGivenBackOrRefused) {
  const char* const folder = std::getenv("MAILWARDEN_CACAO");
  if (folder == nullptr) GTEST_SKIP() << "MAILWARDEN_CACAO names no folder";
  const std::string path = std::string(folder) + "/" + GetParam().file;
  ASSERT_TRUE(std::filesystem::exists(path));
  const std::string text = read_file(path);
  const auto read = import_cacao(text);
  if (*GetParam().refused != '\0') {
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().what, testing::HasSubstr(GetParam().refused));
    return;
  }
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->playbook.steps.size(), GetParam().steps);
  if (*GetParam().note != '\0') {
    EXPECT_THAT(read->notes, testing::Contains(testing::HasSubstr(GetParam().note)));
  }
  const auto back = export_cacao(read->playbook, {.at = Timestamp{1'800'000'000'000'000}});
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(json::to_pretty_text(*back), json::to_pretty_text(*json::parse(text)));
}

INSTANTIATE_TEST_SUITE_P(Files, CacaoPublished, testing::ValuesIn(published), [](const auto& file) {
  std::string name(file.param.file);
  std::erase_if(name, [](char c) { return !std::isalnum(c); });
  return name;
});

}  // namespace
}  // namespace mailwarden::respond
