// Each change to a file of a store is found or is no part of its content, and so is an older copy
// of the whole.
#include "tests/app/places.h"

namespace mailwarden::app {

// All that the tables say.
std::string PlacesTest::content_of(const std::string& store) {
  const auto database = db::open_sqlite(store, {.read_only = true});
  if (!database) return {};
  std::string all;
  for (const Table& table : tables_) {
    const auto statement = (*database)->query("SELECT * FROM " + table.name + " ORDER BY rowid");
    if (!statement) return {};
    while (true) {
      const auto more = (*statement)->step();
      if (!more) return {};
      if (!*more) break;
      for (int i = 0; i < (*statement)->columns(); ++i) {
        all += std::string((*statement)->text(i)) + "|";
      }
    }
    all = crypto::to_hex(crypto::sha256(all));
  }
  return all;
}

void PlacesTest::judge_file(const std::string& what, const std::string& file,
                            const std::string& copy) {
  if (file == "key") {
    const auto signer = crypto::Signer::load(copy + "/key");
    EXPECT_FALSE(signer && signer->public_key() == store_->key().key) << what;
    return;
  }
  if (file == "key.pub") {
    const std::string text = fs::exists(copy + "/key.pub") ? read_file(copy + "/key.pub") : "";
    const auto key = ledger::parse_verifier_key(text.substr(0, text.find('\n')));
    const bool is_same = key && key->name == store_->key().name && key->key == store_->key().key;
    if (is_same) ++unused_;
    return;
  }
  std::optional<std::string> from = store_->notes().back();
  if (file.starts_with("checkpoints")) {
    if (!fs::exists(copy + "/" + file)) return;  // who asks for it is told that it is not there
    from = read_file(copy + "/" + file);
  }
  const auto verdict = verified(copy + "/m.db", from);
  if (!verdict || !verdict->good()) return;
  EXPECT_FALSE(file.starts_with("checkpoints")) << what << " is not found";
  EXPECT_EQ(content_of(copy + "/m.db"), content_of(folder_->path("whole/m.db")))
      << what << " changes what the tables say and is not found";
  ++unused_;
}

void PlacesTest::every_change_to_a_file() {
  std::vector<std::string> files;
  for (const auto& file : fs::recursive_directory_iterator(folder_->path("whole"))) {
    if (file.is_regular_file()) {
      files.push_back(fs::relative(file.path(), folder_->path("whole")).string());
    }
  }
  std::ranges::sort(files);
  ASSERT_TRUE(std::ranges::find(files, "m.db-wal") != files.end());
  std::int64_t count = 0;
  const std::int64_t few = store_->sealing() == nullptr ? 21 : 7;
  for (; count < (places() == 0 ? few : places() / 5); ++count) {
    // Every other place is in the database or its log, which hold nearly everything.
    const std::string file =
        count % 2 == 0 ? (count % 4 == 0 ? "m.db" : "m.db-wal") : any_of(files);
    const std::string copy = fresh_copy();
    const std::string path = copy + "/" + file;
    std::string bytes = read_file(path);
    const std::size_t at = below(bytes.size());
    std::string what = file;
    if (count % 7 == 5) {
      fs::remove(path);
      what += ": removed";
    } else if (count % 7 == 6) {
      fs::resize_file(path, at);
      what += ": cut at " + std::to_string(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
      write_file(path, bytes);
      what += ": a bit of byte " + std::to_string(at);
    }
    judge_file(what, file, copy);
  }
  std::cout << count << " places, of which " << unused_ << " are no part of the content\n";
}

TEST_F(PlacesTest, EveryChangeToAFileIsFoundOrIsNoPartOfTheContent) {
  every_change_to_a_file();
}
TEST_F(EncryptedPlacesTest, EveryChangeToAFileIsFoundOrIsNoPartOfTheContent) {
  every_change_to_a_file();
}

void PlacesTest::a_rollback() {
  std::size_t older = 0;
  for (; fs::exists(folder_->path("earlier/" + std::to_string(older))); ++older) {
    const std::string copy = folder_->path("earlier/" + std::to_string(older)) + "/m.db";
    const auto alone = older % 4 == 0 || places() > 0 ? verified(copy) : ledger::Verdict();
    ASSERT_TRUE(alone) << alone.error().what;
    EXPECT_TRUE(alone->good()) << "it was the whole store once\n" << ledger::to_words(*alone);
    const auto database = db::open_sqlite(copy, {.read_only = true}).value();
    database->set_sealing(store_->sealing());
    for (std::size_t later = older + 1; later < store_->notes().size(); ++later) {
      const bool is_edge = later == older + 1 || later + 1 == store_->notes().size();
      if (!is_edge && places() == 0) continue;
      const auto verdict =
          ledger::verify(*database, {.key = store_->key(), .from = store_->notes()[later]});
      ASSERT_TRUE(verdict) << verdict.error().what;
      EXPECT_FALSE(verdict->good()) << "copy " << older << ", checkpoint " << later;
    }
  }
  EXPECT_GE(older, 3U);
}

TEST_F(PlacesTest, ARollbackIsFoundWithAnyLaterCheckpoint) {
  a_rollback();
}
TEST_F(EncryptedPlacesTest, ARollbackIsFoundWithAnyLaterCheckpoint) {
  a_rollback();
}

}  // namespace mailwarden::app
