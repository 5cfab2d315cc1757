// What somebody finds who has the files: a thousand planted addresses, and the keys of each.
#include <fstream>

#include <gmock/gmock.h>

#include "tests/vault/book.h"

namespace mailwarden::vault {
namespace {

class StolenTest : public BookTest {
 protected:
  static constexpr int planted = 1000;

  static std::string address_of(int i) {
    return "planted" + std::to_string(10'000 + i) + "@victim.example";
  }
  static std::string row_of(int i) { return std::to_string(10'000 + i); }

  static crypto::Indexed who() {
    return {.table = "note", .column = "who", .form = crypto::Normal::address};
  }

  // A store with the addresses, sealed or not, and an index of them to find rows by.
  void plant(Vault& vault, const std::string& path, bool sealed) {
    Notes notes(path);
    auto& store = notes.database();
    ASSERT_TRUE(
        store.execute("CREATE TABLE who (found BLOB, id TEXT);"
                      "CREATE INDEX who_by_found ON who (found)"));
    std::vector<std::string> addresses;
    for (int i = 0; i < planted; ++i) addresses.push_back(address_of(i));
    const Subjects subjects(addresses.begin(), addresses.end());
    ASSERT_TRUE(vault.know(subjects));
    auto transaction = db::Transaction::begin(store).value();
    for (int i = 0; i < planted; ++i) {
      const std::string address = address_of(i);
      const auto plain = crypto::as_bytes(address);
      const crypto::Bytes clear(plain.begin(), plain.end());
      const auto body =
          sealed ? vault.seal(note(row_of(i)), Subjects{address}, address).value() : clear;
      const auto index = sealed ? vault.index(who(), address).value() : clear;
      notes.put(row_of(i), body);
      ASSERT_TRUE(store.run("INSERT INTO who (found, id) VALUES ($1, $2)",
                            {db::Blob(index), std::string_view(row_of(i))}));
    }
    ASSERT_TRUE(transaction.commit());
    // As they lie there while the daemon runs: pages in the log that are not in the store yet.
    std::filesystem::create_directory(path + ".stolen");
    for (const std::string end : {"", "-wal"}) {
      std::filesystem::copy_file(path + end, path + ".stolen/store.db" + end);
    }
    ASSERT_GT(std::filesystem::file_size(path + ".stolen/store.db-wal"), 100'000U);
    ASSERT_TRUE(store.execute("VACUUM INTO '" + path + ".stolen/backup.db'"));
  }

  // How many of the addresses stand in some file of the folder as they are.
  static int found_in(const std::string& folder) {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      all += entry.path().filename().string() + read_file(entry.path().string());
    }
    int found = 0;
    for (int i = 0; i < planted; ++i) {
      found += all.find(address_of(i)) != std::string::npos ? 1 : 0;
      found += all.find(crypto::as_text(crypto::sha256(address_of(i)))) != std::string::npos;
    }
    return found;
  }

  static int readable_in(Vault& vault, const std::string& path) {
    Notes notes(path);
    int readable = 0;
    for (int i = 0; i < planted; ++i) {
      const auto opened = vault.open(note(row_of(i)), notes.get(row_of(i)));
      readable += opened.has_value() ? 1 : 0;
      EXPECT_TRUE(opened || opened.error().code == Code::not_found) << opened.error().what;
    }
    return readable;
  }
};

TEST_F(StolenTest, OfShreddedSubjectsNothingIsReadableInAnyCopy) {
  const auto vault = open();
  plant(*vault, folder.path("store.db"), true);
  const std::string stolen = folder.path("store.db.stolen");
  const std::vector<std::string> copies{folder.path("store.db"), stolen + "/store.db",
                                        stolen + "/backup.db"};
  EXPECT_EQ(found_in(stolen), 0);
  for (const std::string& copy : copies) EXPECT_EQ(readable_in(*vault, copy), planted);
  for (int i = 0; i < planted; ++i) ASSERT_EQ(vault->shred(address_of(i)), true);
  ASSERT_TRUE(vault->scrub());
  for (const std::string& copy : copies) EXPECT_EQ(readable_in(*vault, copy), 0) << copy;
  // The present book helps nobody either, with the KEK and all.
  const auto again = open();
  for (const std::string& copy : copies) EXPECT_EQ(readable_in(*again, copy), 0) << copy;
  EXPECT_EQ(found_in(stolen), 0);
  EXPECT_EQ(found_in(folder.path()), 0);
}

// The counter-test: what is not sealed is found.
TEST_F(StolenTest, WhatIsNotSealedIsFound) {
  const auto vault = open();
  plant(*vault, folder.path("store.db"), false);
  EXPECT_EQ(found_in(folder.path("store.db.stolen")), planted);
}

TEST_F(StolenTest, WithoutTheKekAStoreRevealsNothingAndNoIndexCanBeMade) {
  {
    const auto vault = open();
    plant(*vault, folder.path("store.db"), true);
  }
  // Both databases are stolen, the key file is not.
  std::filesystem::rename(kek, kek + ".kept");
  const std::string thief = folder.path("thief");
  ASSERT_TRUE(crypto::FileKeyProvider::create(thief, entropy));
  const auto provider_of_thief = provider_of(thief);
  const auto vault = try_open(*provider_of_thief).value();
  Notes notes(folder.path("store.db"));
  for (int i = 0; i < planted; ++i) {
    ASSERT_FALSE(vault->open(note(row_of(i)), notes.get(row_of(i))));
    ASSERT_FALSE(vault->index(who(), address_of(i)));
  }
  // Whoever guesses the addresses finds none with a key of his own, nor with none.
  const std::array<std::byte, crypto::key_bytes> guess{};
  int matches = 0;
  for (int i = 0; i < planted; ++i) {
    const auto tried = crypto::blind_index(guess, who(), address_of(i));
    matches += static_cast<int>(
        notes.database()
            .integer("SELECT COUNT(*) FROM who WHERE found = $1", {db::Blob(tried)})
            .value());
  }
  EXPECT_EQ(matches, 0);
  EXPECT_EQ(found_in(folder.path()), 0);
  // With the key it would have been found, so that the search is one that finds.
  std::filesystem::rename(kek + ".kept", kek);
  const auto owner = open();
  const auto index = owner->index(who(), address_of(7)).value();
  EXPECT_EQ(notes.database()
                .integer("SELECT COUNT(*) FROM who WHERE found = $1", {db::Blob(index)})
                .value(),
            1);
}

// A copy of the book from before a shredding is as good as the book was, until the version of the
// KEK that it is wrapped under is gone. docs/encryption.md says so, and this is why.
TEST_F(StolenTest, ACopyOfTheBookOpensUntilItsKekIsDropped) {
  const auto vault = open();
  Notes notes(folder.path("store.db"));
  notes.put("1", vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value());
  notes.put("2", vault->seal(note("2"), Subjects{"bob@example.com"}, "v").value());
  ASSERT_TRUE(vault->scrub());
  std::filesystem::copy_file(folder.path("book.db"), folder.path("old.db"));
  ASSERT_EQ(vault->shred("ada@example.com"), true);
  const auto opened_by_copy = [&](const std::string& row) {
    std::filesystem::copy_file(folder.path("old.db"), folder.path("tried.db"),
                               std::filesystem::copy_options::overwrite_existing);
    return try_open(*provider, "tried.db").value()->open(note(row), notes.get(row));
  };
  EXPECT_EQ(opened_by_copy("1"), "v");
  ASSERT_TRUE(crypto::FileKeyProvider::add_version(kek, entropy));
  EXPECT_TRUE(vault->rewrap(100).value().ended);
  ASSERT_TRUE(crypto::FileKeyProvider::drop_version(kek, 1));
  EXPECT_EQ(opened_by_copy("1").error().code, Code::denied);
  EXPECT_EQ(open()->open(note("2"), notes.get("2")), "v") << "the present book goes on";
}

// Wrapped keys that were shredded are in no file of the book, once it is scrubbed.
TEST_F(StolenTest, ScrubbingTakesShreddedKeysOutOfTheBooksFiles) {
  const auto vault = open();
  std::vector<crypto::Bytes> wrapped;
  ASSERT_TRUE(vault->seal(note("1"), Subjects{"ada@example.com"}, "v"));
  {
    const auto reader = db::open_sqlite(folder.path("book.db"), {.read_only = true}).value();
    const auto rows = reader->query("SELECT wrapped FROM vault_key WHERE key_id > 3").value();
    while (rows->step().value()) {
      const db::Blob blob = rows->blob(0);
      wrapped.emplace_back(blob.begin(), blob.end());
    }
  }
  ASSERT_EQ(wrapped.size(), 1U);
  const auto stands_in_files = [&] {
    std::string all;
    for (const std::string end : {"", "-wal"}) all += read_file(folder.path("book.db") + end);
    return all.find(crypto::as_text(wrapped.front())) != std::string::npos;
  };
  EXPECT_TRUE(stands_in_files());
  ASSERT_EQ(vault->shred("ada@example.com"), true);
  EXPECT_TRUE(stands_in_files()) << "in the log";
  ASSERT_TRUE(vault->scrub());
  EXPECT_FALSE(stands_in_files());
}

// Remembers what it gave out as data keys, disguised so that a search finds no copy of its own.
class RememberingEntropy final : public Entropy {
 public:
  static constexpr std::byte disguise{0x5a};

  void fill(std::span<std::byte> out, std::string_view purpose) override {
    system_.fill(out, purpose);
    if (purpose != "data key") return;
    keys.emplace_back(out.begin(), out.end());
    for (std::byte& byte : keys.back()) byte ^= disguise;
  }

  std::vector<crypto::Bytes> keys;

 private:
  crypto::SystemEntropy system_;
};

// How often the key stands in memory that this process can write to.
int places_in_memory(const crypto::Bytes& disguised) {
  std::ifstream maps("/proc/self/maps");
  int places = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::array<char, 5> rights{};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights.data()) != 3) continue;
    // What sanitizers reserve is too much to be looked through.
    if (std::string_view(rights.data(), 2) != "rw" || end - begin > (std::uintptr_t{1} << 30)) {
      continue;
    }
    const auto* const bytes = reinterpret_cast<const volatile std::byte*>(begin);
    for (std::size_t i = 0; i + disguised.size() <= end - begin; ++i) {
      std::size_t same = 0;
      while (same < disguised.size() &&
             (bytes[i + same] ^ RememberingEntropy::disguise) == disguised[same]) {
        ++same;
      }
      places += same == disguised.size() ? 1 : 0;
    }
  }
  return places;
}

TEST_F(StolenTest, KeysStandInMemoryOnceAndNowhereWhenTheyWereForgottenOrShredded) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's own memory cannot be read through";
#endif
  RememberingEntropy remembering;
  auto database = db::open_sqlite(folder.path("book.db")).value();
  ASSERT_TRUE(db::migrate(*database, migrations(), clock.now()));
  const auto vault =
      Vault::open(std::move(database), *provider, remembering, clock, {.tables = {"note"}}).value();
  const auto adas = vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  const auto bobs = vault->seal(note("2"), Subjects{"bob@example.com"}, "v").value();
  ASSERT_EQ(remembering.keys.size(), 5U);
  const crypto::Bytes& ada = remembering.keys[3];
  const crypto::Bytes& bob = remembering.keys[4];
  EXPECT_EQ(places_in_memory(ada), 1) << "in the locked memory alone";
  EXPECT_EQ(places_in_memory(bob), 1);
  ASSERT_EQ(vault->shred("ada@example.com"), true);
  EXPECT_EQ(places_in_memory(ada), 0);
  ASSERT_TRUE(vault->open(note("2"), bobs));
  vault->forget();
  EXPECT_EQ(places_in_memory(bob), 0);
  ASSERT_TRUE(vault->open(note("2"), bobs));
  EXPECT_EQ(places_in_memory(bob), 1);
}

}  // namespace
}  // namespace mailwarden::vault
