#include "identity/token_cache.h"

#include <gtest/gtest.h>

namespace mailwarden::identity {
namespace {

crypto::Digest hash(const std::string& token) {
  return crypto::sha256(token);
}

class TokenCacheTest : public testing::Test {
 protected:
  void put(const std::string& name) {
    auto token = std::make_shared<VerifiedToken>();
    token->claims.subject = name;
    cache_.put(hash(name), std::move(token));
  }
  // The subject of what is remembered; "" where it is not.
  std::string find(const std::string& name) {
    const auto found = cache_.find(hash(name));
    return found == nullptr ? "" : found->claims.subject;
  }

  TokenCache cache_{3};
};

TEST_F(TokenCacheTest, GivesWhatWasPut) {
  put("a");
  put("b");
  EXPECT_EQ(find("a"), "a");
  EXPECT_EQ(find("b"), "b");
  EXPECT_EQ(find("c"), "");
  EXPECT_EQ(cache_.size(), 2U);
}

TEST_F(TokenCacheTest, LetsGoOfTheOneThatWasLongestNotAskedFor) {
  for (const char* name : {"a", "b", "c"}) put(name);
  EXPECT_EQ(find("a"), "a");
  put("d");
  EXPECT_EQ(cache_.size(), 3U);
  EXPECT_EQ(find("b"), "");
  for (const char* name : {"a", "c", "d"}) EXPECT_EQ(find(name), name);
  put("e");
  EXPECT_EQ(find("a"), "");
}

TEST_F(TokenCacheTest, APlaceIsTakenOnce) {
  for (int i = 0; i < 5; ++i) put("a");
  EXPECT_EQ(cache_.size(), 1U);
}

TEST_F(TokenCacheTest, ErasesOneAndNoOther) {
  put("a");
  put("b");
  cache_.erase(hash("a"));
  cache_.erase(hash("never put"));
  EXPECT_EQ(find("a"), "");
  EXPECT_EQ(find("b"), "b");
  EXPECT_EQ(cache_.size(), 1U);
}

TEST_F(TokenCacheTest, WhatWasFoundOutlivesItsPlace) {
  put("a");
  const auto found = cache_.find(hash("a"));
  cache_.erase(hash("a"));
  EXPECT_EQ(found->claims.subject, "a");
}

TEST(TokenCache, OfNoneRemembersNone) {
  TokenCache cache(0);
  cache.put(hash("a"), std::make_shared<VerifiedToken>());
  EXPECT_EQ(cache.find(hash("a")), nullptr);
  EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace mailwarden::identity
