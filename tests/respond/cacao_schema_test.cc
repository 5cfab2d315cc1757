// What is exported, held against the published JSON schemas by a validator that others wrote.
#include <gtest/gtest.h>

#include "respond/cacao.h"
#include "tests/process.h"
#include "tests/respond/cacao_playbooks.h"
#include "tests/temporary.h"

namespace mailwarden::respond {
namespace {

std::string complaints(const TemporaryFolder& folder, const std::vector<std::string>& files) {
  std::vector<std::string> arguments{
      "/usr/bin/python3", "-I", source_folder() + "/tests/respond/validate_cacao.py",
      folder.path("lib"), source_folder() + "/docs/cacao_extension.schema.json"};
  arguments.insert(arguments.end(), files.begin(), files.end());
  Process validator(std::move(arguments), folder.path("output"));
  const int code = validator.wait();
  const std::string said = read_file(folder.path("output"));
  return code != 0 && said.empty() ? "the validator cannot be run" : said;
}

class CacaoSchemas : public testing::Test {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "the outside test data is not there";
    ASSERT_TRUE(unpack_corpus("schemas/cacao-2.0-schemas.tar.gz", folder_.path()));
  }

  std::string file(const std::string& name, const json::Object& document) {
    write_file(folder_.path(name), json::to_text(document));
    return folder_.path(name);
  }

  TemporaryFolder folder_;
};

TEST_F(CacaoSchemas, TakeEveryExport) {
  std::vector<std::string> files;
  for (std::uint64_t seed = 1000; seed < 1040; ++seed) {
    const auto document =
        export_cacao(CacaoPlaybooks(seed).make(), {.at = Timestamp{1'800'000'000'000'000}});
    ASSERT_TRUE(document) << document.error().what;
    files.push_back(file(std::to_string(seed), *document));
  }
  EXPECT_EQ(complaints(folder_, files), "");
}

TEST_F(CacaoSchemas, WouldTellAMistake) {
  auto document = export_cacao(CacaoPlaybooks(1).make(), {.at = Timestamp{1'800'000'000'000'000}});
  ASSERT_TRUE(document);
  (*document)["created"] = "soon";
  EXPECT_NE(complaints(folder_, {file("bad", *document)}), "");
}

}  // namespace
}  // namespace mailwarden::respond
