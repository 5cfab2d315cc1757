#include "vault/key_cache.h"

#include <gtest/gtest.h>

namespace mailwarden::vault {
namespace {

std::array<std::byte, crypto::key_bytes> key_of(std::size_t number) {
  std::array<std::byte, crypto::key_bytes> key;
  key.fill(static_cast<std::byte>(number + 1));
  return key;
}

SubjectIndex subject_of(std::size_t number) {
  return crypto::sha256("subject " + std::to_string(number));
}

TEST(KeyCache, LetsTheLeastRecentlyUsedGoAndWipesIt) {
  auto cache = KeyCache::make(1).value();
  const std::size_t places = KeyCache::keys_min;
  std::vector<KeyView> views;
  for (std::size_t i = 0; i < places; ++i) {
    views.push_back(cache.put({i, 1}, key_of(i)));
    cache.set_newest(subject_of(i), {i, 1});
  }
  EXPECT_TRUE(cache.find({0, 1})) << "used, so that the next one goes in its place";
  const KeyView place = views[1];
  EXPECT_EQ(place[0], key_of(1)[0]);
  EXPECT_EQ(cache.put({places, 1}, key_of(places)).data(), place.data());
  EXPECT_FALSE(cache.find({1, 1}));
  EXPECT_FALSE(cache.newest(subject_of(1)));
  EXPECT_EQ(cache.newest(subject_of(0)), (KeyName{0, 1}));
  EXPECT_EQ(cache.size(), places);
}

TEST(KeyCache, DropsAllVersionsOfAKeyAndWipesThem) {
  auto cache = KeyCache::make(1).value();
  const KeyView first = cache.put({7, 1}, key_of(1));
  const KeyView second = cache.put({7, 2}, key_of(2));
  const KeyView other = cache.put({8, 1}, key_of(3));
  cache.set_newest(subject_of(7), {7, 1});
  cache.set_newest(subject_of(7), {7, 2});
  EXPECT_EQ(cache.newest(subject_of(7)), (KeyName{7, 2}));
  cache.drop(7);
  EXPECT_FALSE(cache.find({7, 1}));
  EXPECT_FALSE(cache.find({7, 2}));
  EXPECT_FALSE(cache.newest(subject_of(7)));
  EXPECT_TRUE(cache.find({8, 1}));
  const auto zeros = std::array<std::byte, crypto::key_bytes>{};
  EXPECT_TRUE(std::ranges::equal(first, zeros));
  EXPECT_TRUE(std::ranges::equal(second, zeros));
  EXPECT_TRUE(std::ranges::equal(other, key_of(3)));
  cache.clear();
  EXPECT_TRUE(std::ranges::equal(other, zeros));
  EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace mailwarden::vault
