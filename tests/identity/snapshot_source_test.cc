#include "identity/snapshot_source.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/identity/people_maker.h"
#include "tests/net/http_fixture.h"
#include "tests/temporary.h"

namespace mailwarden::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Answers by path and page, and what was asked.
class FakeApi {
 public:
  std::map<std::string, std::string> pages;  // "/users", "/users next"
  unsigned status = 200;
  std::vector<std::string> asked;
  std::vector<std::string> tokens;
  std::function<void()> on_request;

  Fetch fetch() {
    return [this](const net::HttpCall& call) -> Result<net::HttpAnswer> {
      if (on_request) on_request();
      std::string name = call.url.substr(std::string("https://api.example/v1").size());
      for (const auto& [key, value] : call.query) {
        if (key == "pageToken") name += " " + value;
      }
      asked.push_back(name);
      for (const auto& [key, value] : call.headers) {
        if (key == "Authorization") tokens.push_back(value);
      }
      if (!pages.contains(name)) return fail(Code::unavailable, "nothing at " + name);
      return net::HttpAnswer{.status = status, .body = pages.at(name)};
    };
  }
};

class HttpDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    write_file(options_.token_file, "secret-1\n");
    api_.pages = {
        {"/users", users_page({user_json("1", "a@example.com")}, "next")},
        {"/users next", users_page({user_json("2", "b@example.com")})},
        {"/groups", groups_page({group_json("g1", "one@example.com")}, "more")},
        {"/groups more", groups_page({group_json("g2", "two@example.com")})},
        {"/groups/g1/members", R"({"kind":"admin#directory#members","members":[)" +
                                   member_json("1", "a@example.com") +
                                   R"(],"nextPageToken":"m2"})"},
        {"/groups/g1/members m2", R"({"kind":"admin#directory#members","members":[)" +
                                      member_json("2", "b@example.com") + "]}"},
        {"/groups/g2/members", R"({"kind":"admin#directory#members"})"},
    };
  }

  Result<DirectorySnapshot> take() {
    auto directory = HttpDirectory::make(options_, api_.fetch());
    if (!directory) return std::unexpected(directory.error());
    return directory->take(morning);
  }

  TemporaryFolder folder_;
  HttpDirectoryOptions options_{.address = "https://api.example/v1",
                                .token_file = folder_.path("token")};
  FakeApi api_;
};

TEST_F(HttpDirectoryTest, FollowsEveryListToItsEnd) {
  const auto snapshot = take();
  ASSERT_TRUE(snapshot) << snapshot.error().what;
  EXPECT_THAT(api_.asked,
              ElementsAre("/users", "/users next", "/groups", "/groups more", "/groups/g1/members",
                          "/groups/g1/members m2", "/groups/g2/members"));
  EXPECT_EQ(snapshot->origin, (Origin{"google_directory", morning}));
  EXPECT_TRUE(snapshot->all_accounts);
  EXPECT_TRUE(snapshot->all_groups);
  EXPECT_EQ(snapshot->accounts.size(), 2U);
  ASSERT_EQ(snapshot->groups.size(), 2U);
  EXPECT_EQ(snapshot->groups[0].members->value.size(), 2U);
  EXPECT_TRUE(snapshot->groups[1].members->value.empty());
}

TEST_F(HttpDirectoryTest, AsksForNoGroupsWhereNoneAreWanted) {
  options_.groups = false;
  ASSERT_TRUE(take());
  EXPECT_THAT(api_.asked, ElementsAre("/users", "/users next"));
}

TEST_F(HttpDirectoryTest, ReadsTheTokenAnewForEachRequest) {
  options_.groups = false;
  api_.on_request = [&] { write_file(options_.token_file, "secret-2"); };
  ASSERT_TRUE(take());
  EXPECT_THAT(api_.tokens, ElementsAre("Bearer secret-1", "Bearer secret-2"));
}

TEST_F(HttpDirectoryTest, TellsWhatTheServerAnsweredAndNotTheToken) {
  for (const auto& [status, code] :
       {std::pair{401U, Code::denied}, std::pair{403U, Code::denied},
        std::pair{429U, Code::unavailable}, std::pair{500U, Code::unavailable},
        std::pair{302U, Code::unavailable}}) {
    api_.status = status;
    const auto snapshot = take();
    ASSERT_FALSE(snapshot);
    EXPECT_EQ(snapshot.error().code, code) << status;
    EXPECT_EQ(snapshot.error().what,
              "https://api.example/v1/users: answer " + std::to_string(status));
  }
}

TEST_F(HttpDirectoryTest, WantsOneTokenInTheFile) {
  for (const char* text : {"", " \n", "two words", "line\nfeed", "uml\xC3\xA4ut"}) {
    write_file(options_.token_file, text);
    const auto snapshot = take();
    ASSERT_FALSE(snapshot) << text;
    EXPECT_EQ(snapshot.error().what, options_.token_file + ": it does not hold one access token");
  }
  std::filesystem::remove(options_.token_file);
  EXPECT_EQ(take().error().code, Code::not_found);
}

TEST_F(HttpDirectoryTest, APageThatDoesNotComeSpoilsTheSnapshot) {
  for (const auto& [name, page] : std::map(api_.pages)) {
    api_.pages.erase(name);
    EXPECT_EQ(take().error().code, Code::unavailable) << name;
    api_.pages[name] = page;
  }
  EXPECT_TRUE(take());
}

TEST_F(HttpDirectoryTest, DoesNotGoRoundInCircles) {
  api_.pages["/users next"] = users_page({user_json("2", "b@example.com")}, "next");
  const auto snapshot = take();
  ASSERT_FALSE(snapshot);
  EXPECT_THAT(snapshot.error().what, HasSubstr("names one as the next that came before"));
}

TEST_F(HttpDirectoryTest, HasLimits) {
  options_.requests_max = 6;
  EXPECT_EQ(take().error().code, Code::full);
  options_.requests_max = 7;
  EXPECT_TRUE(take());
  options_.limits.users_max = 1;
  EXPECT_EQ(take().error().code, Code::full);
  options_.limits.users_max = 2;
  options_.limits.pages_max = 6;
  EXPECT_EQ(take().error().code, Code::full);
}

TEST_F(HttpDirectoryTest, BelievesNoAnswerToAnotherQuestion) {
  api_.pages["/users"] = user_json("1", "a@example.com");
  EXPECT_THAT(take().error().what, HasSubstr("its answers are not the lists asked for"));
  api_.pages["/users"] = "<html>";
  EXPECT_THAT(take().error().what, HasSubstr("page 1: not valid JSON"));
}

TEST_F(HttpDirectoryTest, AsksNowhereElseWhateverAGroupIsCalled) {
  for (const char* id : {"../users", "g1?x=1", "g1/members", "%2e%2e"}) {
    api_.pages["/groups"] = groups_page({group_json(id, "one@example.com")});
    api_.asked.clear();
    const auto snapshot = take();
    ASSERT_FALSE(snapshot) << id;
    EXPECT_THAT(snapshot.error().what, HasSubstr("its id is not of letters and digits"));
    EXPECT_THAT(api_.asked, ElementsAre("/users", "/users next", "/groups"));
  }
}

TEST_F(HttpDirectoryTest, TakesNoAddressWhereOthersMayListen) {
  for (const char* address : {"http://api.example/v1", "https://u:p@api.example", "", "file:///x",
                              "https://api.example/v1?key=x"}) {
    options_.address = address;
    EXPECT_EQ(take().error().code, Code::invalid) << address;
  }
  options_.address = "https://api.example/v1";
  options_.token_file = "";
  EXPECT_EQ(take().error().code, Code::invalid);
}

class DirectoryServer : public net::HttpServerTest {};

TEST_F(DirectoryServer, IsAskedOverHttp) {
  start({}, [this](const net::Request& request) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(request);
    if (request.header("Authorization") != "Bearer secret") return net::Response{.status = 401};
    if (request.parameter("pageToken") == "a/b+c=") {
      return net::Response{.body = users_page({user_json("2", "b@example.com")})};
    }
    return net::Response{.body = users_page({user_json("1", "a@example.com")}, "a/b+c=")};
  });
  write_file(folder_.path("token"), "secret\n");
  const HttpDirectoryOptions options{
      .address = url("/v1"), .token_file = folder_.path("token"), .groups = false};
  auto directory = HttpDirectory::make(options, http_fetch(net::quick));
  ASSERT_TRUE(directory) << directory.error().what;
  const auto snapshot = directory->take(morning);
  ASSERT_TRUE(snapshot) << snapshot.error().what;
  EXPECT_EQ(snapshot->accounts.size(), 2U);
  ASSERT_EQ(handled(), 2U);
  EXPECT_EQ(seen_[0].path, "/v1/users");
  EXPECT_EQ(seen_[0].parameter("customer"), "my_customer");
  EXPECT_EQ(seen_[0].parameter("projection"), "full");
  EXPECT_EQ(seen_[0].parameter("maxResults"), "500");
  write_file(folder_.path("token"), "stale");
  EXPECT_EQ(directory->take(morning).error().code, Code::denied);
}

}  // namespace
}  // namespace mailwarden::identity
