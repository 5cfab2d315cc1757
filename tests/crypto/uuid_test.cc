#include "crypto/uuid.h"

#include <gtest/gtest.h>

namespace mailwarden::crypto {
namespace {

// RFC 9562, appendix A.4: the name www.example.com in the namespace of domain names.
TEST(NameUuid, IsTheOneOfTheStandard) {
  constexpr Uuid domains{std::byte{0x6b}, std::byte{0xa7}, std::byte{0xb8}, std::byte{0x10},
                         std::byte{0x9d}, std::byte{0xad}, std::byte{0x11}, std::byte{0xd1},
                         std::byte{0x80}, std::byte{0xb4}, std::byte{0x00}, std::byte{0xc0},
                         std::byte{0x4f}, std::byte{0xd4}, std::byte{0x30}, std::byte{0xc8}};
  EXPECT_EQ(to_string(domains), "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(to_string(name_uuid(domains, "www.example.com")),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  EXPECT_NE(name_uuid(domains, "a"), name_uuid(Uuid{}, "a"));
}

}  // namespace
}  // namespace mailwarden::crypto
