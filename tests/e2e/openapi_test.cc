// docs/openapi.yaml: that it is OpenAPI, and knows the paths that are served and no others.
#include "access/grant.h"
#include "http/routes.h"
#include "incident/incident.h"
#include "respond/flow_run.h"
#include "tests/e2e/installed_programs.h"
#include "tests/e2e/openapi_file.h"

namespace mailwarden {
namespace {

// As the file writes them: it has a name for every method, and none for a rest of several segments.
std::set<std::string> served() {
  std::set<std::string> all;
  for (const http::Route& route : http::routes()) {
    std::string path(route.path);
    if (const std::size_t rest = path.find("{+"); rest != path.npos) path.erase(rest + 1, 1);
    if (route.method != http::any_method) {
      all.insert(std::string(route.method) + " " + path);
      continue;
    }
    for (const char* const method :
         {"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"}) {
      all.insert(std::string(method) + " " + path);
    }
  }
  return all;
}

TEST(OpenApi, KnowsWhatIsServedAndNothingElse) {
  EXPECT_EQ(OpenApiFile().operations(), served());
}

TEST(OpenApi, IsOneToAToolOfOthers) {
  const std::string programs = installed_programs("openapi");
  if (programs.empty()) GTEST_SKIP() << "openapi-spec-validator cannot be had";
  const TemporaryFolder folder;
  const auto judge = [&](const std::string& file) {
    Process validator({programs + "/bin/openapi-spec-validator", file}, folder.path("out"));
    return validator.wait();
  };
  EXPECT_EQ(judge(OpenApiFile::path()), 0) << read_file(folder.path("out"));
  std::string spoilt = read_file(OpenApiFile::path());
  const std::string responses = "      responses:\n";
  spoilt.replace(spoilt.find(responses), responses.size(), "      answers:\n");
  const std::string to_nobody = "$ref: '#/components/schemas/Status'";
  spoilt.replace(spoilt.find(to_nobody), to_nobody.size(), "$ref: 7");
  write_file(folder.path("spoilt.yaml"), spoilt);
  EXPECT_NE(judge(folder.path("spoilt.yaml")), 0) << "the judge can say no";
}

// Names that the schemas list are those of the code.
TEST(OpenApi, ListsTheNamesThatThereAre) {
  const OpenApiFile file;
  const auto listed = [&](const char* schema) {
    std::set<std::string> names;
    for (const json::Value& name : *file.schemas()[schema]["enum"].as_array()) {
      names.insert(*name.as_string());
    }
    return names;
  };
  EXPECT_EQ(listed("ChangeKind"),
            std::set<std::string>(incident::change_kinds.begin(), incident::change_kinds.end()));
  std::string acts;
  std::set<std::string> known;
  for (const char c : incident::act_names() + ",") {
    if (c == ',') known.insert(std::exchange(acts, ""));
    if (c != ',' && c != ' ') acts += c;
  }
  EXPECT_EQ(listed("IncidentAct"), known);
  for (const std::string& state : listed("IncidentState")) {
    EXPECT_TRUE(incident::parse_state(state)) << state;
  }
  EXPECT_EQ(listed("IncidentState").size(), static_cast<std::size_t>(incident::State::merged) + 1);
  for (const std::string& state : listed("RunState")) {
    EXPECT_TRUE(respond::flow::parse_run_state(state)) << state;
  }
  for (const std::string& state : listed("StepState")) {
    EXPECT_TRUE(respond::flow::parse_step_state(state)) << state;
  }
  EXPECT_EQ(listed("StepState").size(),
            static_cast<std::size_t>(respond::flow::StepState::undo_failed) + 1);
  for (const std::string& state : listed("GrantState")) {
    EXPECT_TRUE(access::parse_grant_state(state)) << state;
  }
}

}  // namespace
}  // namespace mailwarden
