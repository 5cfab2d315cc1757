#include "crypto/envelope.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/entropy.h"
#include "crypto/secret.h"
#include "tests/crypto/counted_entropy.h"
#include "tests/crypto/hex.h"

namespace mailwarden::crypto {
namespace {

using testing::HasSubstr;
using Key = std::array<std::byte, key_bytes>;

constexpr Place place{.table = "event", .column = "actor", .row = "17"};

Key key_of(unsigned char byte) {
  Key key;
  key.fill(std::byte{byte});
  return key;
}

const Key first = key_of(1);
const Key second = key_of(2);
const Key third = key_of(3);

class EnvelopeTest : public testing::Test {
 protected:
  Result<std::string> open(const Place& where, const std::vector<KeyView>& keys,
                           const Bytes& sealed) {
    const auto envelope = parse_envelope(sealed);
    if (!envelope) return std::unexpected(envelope.error());
    return sealer.open(where, keys, *envelope);
  }

  SystemEntropy entropy;
  Sealer sealer{entropy};
};

TEST_F(EnvelopeTest, OpensWhatWasSealed) {
  const std::array one{NamedKey{{7, 1}, first}};
  const std::array two{NamedKey{{7, 1}, first}, NamedKey{{9, 3}, second}};
  for (const std::size_t size : {0, 1, 15, 16, 17, 1000, 100'000}) {
    const std::string value(size, 'v');
    const Bytes by_one = sealer.seal(place, one, value);
    const Bytes by_two = sealer.seal(place, two, value);
    EXPECT_EQ(by_one.size(), 2 + 12 + 60 + size + 16);
    EXPECT_EQ(by_two.size(), 2 + 24 + 60 + size + 16);
    EXPECT_EQ(open(place, {first}, by_one), value);
    EXPECT_EQ(open(place, {first, second}, by_two), value);
  }
}

TEST_F(EnvelopeTest, NamesItsKeysAndNothingElseInClear) {
  const std::array keys{NamedKey{{7, 1}, first},
                        NamedKey{{0x1122334455667788, 0x99aabbcc}, second}};
  const Bytes sealed = sealer.seal(place, keys, "ada@example.com");
  const auto envelope = parse_envelope(sealed).value();
  EXPECT_EQ(std::get<std::vector<KeyName>>(envelope.keys),
            (std::vector<KeyName>{{7, 1}, {0x1122334455667788, 0x99aabbcc}}));
  EXPECT_EQ(to_hex(std::span(sealed).first(26)),
            "0102"
            "000000000000000700000001"
            "112233445566778899aabbcc");
  EXPECT_EQ(as_text(sealed).find("ada"), std::string_view::npos);
}

TEST_F(EnvelopeTest, NeverSealsTwiceAlike) {
  const std::array keys{NamedKey{{7, 1}, first}};
  const Bytes a = sealer.seal(place, keys, "value");
  const Bytes b = sealer.seal(place, keys, "value");
  const auto of_a = parse_envelope(a).value();
  const auto of_b = parse_envelope(b).value();
  EXPECT_FALSE(std::ranges::equal(of_a.salt, of_b.salt));
  EXPECT_FALSE(std::ranges::equal(of_a.nonce, of_b.nonce));
  EXPECT_FALSE(std::ranges::equal(of_a.commitment, of_b.commitment));
  EXPECT_FALSE(std::ranges::equal(of_a.sealed, of_b.sealed));
}

TEST_F(EnvelopeTest, OpensAtItsOwnPlaceAlone) {
  const std::array keys{NamedKey{{7, 1}, first}};
  const Bytes sealed = sealer.seal(place, keys, "value");
  const std::vector<Place> others{{"events", "actor", "17"}, {"event", "actors", "17"},
                                  {"event", "actor", "18"},  {"eventactor", "", "17"},
                                  {"event", "actor1", "7"},  {"", "", ""}};
  for (const Place& other : others) {
    const auto opened = open(other, {first}, sealed);
    ASSERT_FALSE(opened) << other.table << "." << other.column << " " << other.row;
    EXPECT_EQ(opened.error().code, Code::corrupt);
    EXPECT_THAT(opened.error().what, HasSubstr("changed, or moved from another place"));
  }
  EXPECT_TRUE(open(place, {first}, sealed));
}

// Each key is needed: with one shredded, the others do not help.
TEST_F(EnvelopeTest, NeedsAllOfItsKeys) {
  const std::array keys{NamedKey{{7, 1}, first}, NamedKey{{9, 1}, second}};
  const Bytes sealed = sealer.seal(place, keys, "value");
  const std::vector<std::vector<KeyView>> wrong{{first},        {second},        {second, first},
                                                {first, third}, {third, second}, {first, first}};
  for (const auto& one : wrong) {
    const auto opened = open(place, one, sealed);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::corrupt);
    EXPECT_THAT(opened.error().what, HasSubstr("sealed under another key than the one it names"));
  }
}

TEST_F(EnvelopeTest, ABitThatIsChangedAnywhereIsFound) {
  const std::array keys{NamedKey{{7, 1}, first}, NamedKey{{9, 1}, second}};
  const Bytes sealed = sealer.seal(place, keys, "a value");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] ^= std::byte{static_cast<unsigned char>(1U << bit % 8)};
    const auto opened = open(place, {first, second}, changed);
    ASSERT_FALSE(opened) << "bit " << bit;
    EXPECT_EQ(opened.error().code, Code::corrupt);
  }
}

TEST_F(EnvelopeTest, IsRefusedWhereItIsCutOrNone) {
  const std::array keys{NamedKey{{7, 1}, first}};
  const Bytes sealed = sealer.seal(place, keys, "");
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    const auto parsed = parse_envelope(std::span(sealed).first(size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code, Code::corrupt);
  }
  EXPECT_TRUE(parse_envelope(sealed));
  for (const auto& [at, byte] : {std::pair{0, 0}, {0, 3}, {1, 0}, {1, 17}, {1, 255}}) {
    Bytes changed = sealed;
    changed[static_cast<std::size_t>(at)] = std::byte{static_cast<unsigned char>(byte)};
    EXPECT_FALSE(parse_envelope(changed)) << at << " " << byte;
  }
}

TEST_F(EnvelopeTest, KeysStandInOneOrder) {
  const std::array keys{NamedKey{{7, 1}, first}, NamedKey{{9, 1}, second}};
  Bytes sealed = sealer.seal(place, keys, "value");
  std::swap_ranges(sealed.begin() + 2, sealed.begin() + 14, sealed.begin() + 14);
  EXPECT_FALSE(parse_envelope(sealed));
  const std::array turned{NamedKey{{9, 1}, second}, NamedKey{{7, 1}, first}};
  EXPECT_DEATH(static_cast<void>(sealer.seal(place, turned, "value")), "CHECK failed");
}

TEST_F(EnvelopeTest, ForARecipientOpensWithTheAgreedKey) {
  const Key mine = key_of(4);
  const Recipient recipient{.version = 5, .ephemeral = public_share(mine)};
  const Bytes sealed = sealer.seal_for(place, recipient, first, "value");
  const auto envelope = parse_envelope(sealed).value();
  const auto& named = std::get<Recipient>(envelope.keys);
  EXPECT_EQ(named.version, 5U);
  EXPECT_EQ(named.ephemeral, recipient.ephemeral);
  EXPECT_EQ(open(place, {first}, sealed), "value");
  EXPECT_FALSE(open(place, {second}, sealed));
}

// The format is written down in the header; bytes that were sealed once must open for ever.
TEST(Envelope, OfFormatOneStaysAsItWas) {
  CountedEntropy counted;
  Sealer sealer(counted);
  const std::array keys{NamedKey{{7, 1}, first}, NamedKey{{9, 2}, second}};
  const Bytes sealed = sealer.seal(place, keys, "ada@example.com");
  EXPECT_EQ(to_hex(sealed),
            "010200000000000000070000000100000000000000090000000202818db3dbafb0d504a4779f95fc"
            "16bbcf22bd51644f880d0a57fb2c523eebee5723a6ab005d7e8165cb943d4d90c8397381d3e655ac"
            "c136b32b9ed39f5a8274324285053a7132ff9d87e0e3be850f8b24bde36c527b1f8d1d7693");
}

TEST(Envelope, OfFormatTwoStaysAsItWas) {
  CountedEntropy counted;
  Sealer sealer(counted);
  const Recipient recipient{.version = 1, .ephemeral = public_share(third)};
  EXPECT_EQ(to_hex(sealer.seal_for(place, recipient, first, "ada@example.com")),
            "02000000015dfedd3b6bd47f6fa28ee15d969d5bb0ea53774d488bdaf9df1c6e0124b3ef2202818d"
            "b3dbafb0d504a4779f95fc16bbcf22bd51644f880d0a57fb2c306de1a72c181a05606b12e67132a2"
            "ac07345c4151474a51607e55170c2a8831a85632e60c455d6030fc0ea0ce1e1a632a529148d9cae9"
            "4c3ea8ed3e978050");
}

}  // namespace
}  // namespace mailwarden::crypto
