#include "crypto/blind_index.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace mailwarden::crypto {
namespace {

const auto key =
    array_from_hex<32>("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
const auto other_key =
    array_from_hex<32>("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e20");

std::string index_of(std::string_view table, std::string_view column, std::string_view value,
                     Normal form = Normal::exact) {
  return to_hex(blind_index(key, {.table = table, .column = column, .form = form}, value));
}

TEST(BlindIndex, IsTheHashThatItsHeaderDescribes) {
  const std::string message = std::string("mailwarden blind index 1") +
                              std::string("\0\0\0\5event", 9) + std::string("\0\0\0\5actor", 9) +
                              std::string("\0\0\0\17ada@example.com", 19);
  EXPECT_EQ(index_of("event", "actor", " Ada@Example.COM\n", Normal::address),
            to_hex(hmac_sha256(key, {as_bytes(message)})));
}

TEST(BlindIndex, TellsTablesColumnsValuesAndKeysApart) {
  const std::set<std::string> all{index_of("event", "actor", "ada"),
                                  index_of("events", "actor", "ada"),
                                  index_of("event", "aktor", "ada"),
                                  index_of("evenT", "actor", "ada"),
                                  index_of("event", "sactor", "ada"),
                                  index_of("event", "actora", "da"),
                                  index_of("event", "actor", "Ada"),
                                  index_of("event", "actor", "ada "),
                                  index_of("event", "actor", ""),
                                  to_hex(blind_index(other_key, {"event", "actor"}, "ada"))};
  EXPECT_EQ(all.size(), 10U);
  EXPECT_EQ(index_of("event", "actor", "ada"), index_of("event", "actor", "ada"));
}

TEST(BlindIndex, AddressesAreOneWhereOnlyCaseOrWhiteSpaceDiffer) {
  EXPECT_EQ(normalise("\t Ada.L@Example.ORG ", Normal::address), "ada.l@example.org");
  EXPECT_EQ(normalise(" A ", Normal::exact), " A ");
  // Beyond ASCII nothing is folded, since what is one letter depends on the language.
  EXPECT_EQ(normalise("ÄDA@x", Normal::address), "Äda@x");
}

TEST(BlindIndex, IsCutToItsBits) {
  const Bytes whole = blind_index(key, {.table = "t", .column = "c"}, "v");
  EXPECT_EQ(whole.size(), 32U);
  const Bytes half = blind_index(key, {.table = "t", .column = "c", .bits = 64}, "v");
  EXPECT_EQ(half, Bytes(whole.begin(), whole.begin() + 8));
  EXPECT_DEATH(static_cast<void>(blind_index(key, {.table = "t", .bits = 24}, "v")), "CHECK");
  EXPECT_DEATH(static_cast<void>(blind_index(key, {.table = "t", .bits = 65}, "v")), "CHECK");
}

}  // namespace
}  // namespace mailwarden::crypto
