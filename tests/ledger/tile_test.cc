#include "ledger/tile.h"

#include <gtest/gtest.h>

#include "crypto/sha256.h"

namespace mailwarden::ledger {
namespace {

TEST(Tile, StandsWhereTheSpecificationPutsIt) {
  EXPECT_EQ(path_of({.level = 0, .number = 1'234'067}), "tile/0/x001/x234/067");
  EXPECT_EQ(path_of({.level = 3, .number = 0, .width = 5}), "tile/3/000.p/5");
  EXPECT_EQ(path_of({.level = std::nullopt, .number = 999}), "tile/entries/999");
  EXPECT_EQ(path_of({.level = std::nullopt, .number = 1000, .width = 255}),
            "tile/entries/x001/000.p/255");
}

TEST(Tile, APathIsReadInOneWayAlone) {
  for (const Tile& tile :
       {Tile{.level = 0, .number = 0}, Tile{.level = 63, .number = 1, .width = 1},
        Tile{.level = std::nullopt, .number = 123'456'789'012, .width = 255}}) {
    EXPECT_EQ(parse_tile(path_of(tile)), tile) << path_of(tile);
  }
  for (const char* wrong : {"",
                            "tile",
                            "tile/",
                            "tile/0",
                            "tile/0/",
                            "tile/0/0",
                            "tile/0/00",
                            "tile/0/0000",
                            "tile/0/x000",
                            "tile/0/x001",
                            "tile/0/x000/001",
                            "tile/0/001/002",
                            "tile/0/-01",
                            "tile/00/000",
                            "tile/64/000",
                            "tile/-1/000",
                            "tile/x/000",
                            "tile/0/000.p",
                            "tile/0/000.p/",
                            "tile/0/000.p/0",
                            "tile/0/000.p/256",
                            "tile/0/000.p/01",
                            "tile/0/000.p/5/",
                            "/tile/0/000",
                            "tile/0/000.p/5.p/5",
                            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                            "tile/entries"}) {
    EXPECT_FALSE(parse_tile(wrong)) << wrong;
  }
}

// The example of the specification.
TEST(Tile, ATreeOfSeventyThousandHasTheseTiles) {
  constexpr std::uint64_t size = 70'000;
  EXPECT_EQ(tile_at(0, 272, size)->width, 256U);
  EXPECT_EQ(tile_at(0, 273, size)->width, 112U);
  EXPECT_FALSE(tile_at(0, 274, size));
  EXPECT_EQ(tile_at(1, 0, size)->width, 256U);
  EXPECT_EQ(tile_at(1, 1, size)->width, 17U);
  EXPECT_EQ(tile_at(2, 0, size)->width, 1U);
  EXPECT_FALSE(tile_at(2, 1, size));
  EXPECT_FALSE(tile_at(3, 0, size));
  EXPECT_FALSE(tile_at(63, 0, size));
  EXPECT_EQ(tile_at(1, 0, 256)->width, 1U);
  EXPECT_FALSE(tile_at(0, 1, 256)) << "an empty tile is none";
  EXPECT_FALSE(tile_at(0, 0, 0));
}

TEST(Tile, HashesAndEntriesComeBackAsTheyWere) {
  const std::vector<crypto::Digest> hashes{crypto::sha256("a"), crypto::sha256("b")};
  EXPECT_EQ(split_hashes(join_hashes(hashes), 2), hashes);
  EXPECT_FALSE(split_hashes(join_hashes(hashes), 3));
  EXPECT_FALSE(split_hashes(join_hashes(hashes) + "x", 2));
  const std::vector<std::string> entries{"", "ab", std::string(65'535, 'x')};
  const std::string bundle = join_entries(entries).value();
  EXPECT_EQ(bundle.substr(0, 6), std::string("\0\0\0\2ab", 6));
  EXPECT_EQ(split_entries(bundle, 3), entries);
  EXPECT_FALSE(split_entries(bundle, 2));
  EXPECT_FALSE(split_entries(bundle, 4));
  EXPECT_FALSE(split_entries(bundle.substr(0, bundle.size() - 1), 3));
  EXPECT_FALSE(join_entries({std::string(65'536, 'x')}));
}

}  // namespace
}  // namespace mailwarden::ledger
