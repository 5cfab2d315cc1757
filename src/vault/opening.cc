#include "vault/opening.h"

#include <filesystem>

#include "base/files.h"
#include "db/sqlite.h"

namespace mailwarden::vault {
namespace {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// SQLite takes an empty file for a new database, and gives its log the file's rights.
Result<void> prepare_file(const std::string& path, bool must_be_there) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return {};
  if (!std::filesystem::is_directory(folder_of(path), ignored)) {
    return fail(Code::not_found, path + ": its folder " + folder_of(path) + " is not there");
  }
  if (must_be_there) {
    return fail(Code::not_found,
                path +
                    ": it is not there; the daemon makes it when it begins a store with the "
                    "settings keys and kek");
  }
  auto created = create_private_file_durably(path, "");
  // Somebody else was faster.
  if (!created && created.error().code == Code::conflict) return {};
  return created;
}

Result<std::unique_ptr<db::Database>> open_book(const KeysOptions& options, Timestamp now) {
  const auto& [path, kek, read_only, must_be_there, tables] = options;
  if (auto done = prepare_file(path, read_only || must_be_there); !done) {
    return std::unexpected(done.error());
  }
  auto book = db::open_sqlite(path, {.read_only = read_only, .cache_bytes = 1024 * 1024});
  if (!book) return book;
  const auto ready = read_only ? db::check_migrations(**book, migrations())
                               : db::migrate(**book, migrations(), now);
  if (!ready) return fail(path, ready.error());
  if (!read_only && !must_be_there) return book;
  const auto keys = (*book)->integer("SELECT COUNT(*) FROM vault_key");
  if (!keys) return std::unexpected(keys.error());
  if (*keys > 0) return book;
  return fail(Code::not_found,
              path + ": it holds no keys yet; the daemon makes them when it begins a store");
}

}  // namespace

Result<std::unique_ptr<StoreKeys>> StoreKeys::open(KeysOptions options, Entropy& entropy,
                                                   const Clock& clock,
                                                   crypto::KeyProvider::Listener listener) {
  auto provider = make_provider(options.kek, entropy, std::move(listener));
  if (!provider) return std::unexpected(provider.error());
  auto book = open_book(options, clock.now());
  if (!book) return fail("the book of keys", book.error());
  auto vault = Vault::open(*std::move(book), **provider, entropy, clock,
                           {.tables = std::move(options.tables)});
  if (!vault) return fail(options.book, vault.error());
  if (const auto away = (*vault)->away()) {
    return fail("the book of keys " + options.book + " stays closed", *away);
  }
  return std::unique_ptr<StoreKeys>(new StoreKeys(*std::move(provider), *std::move(vault)));
}

}  // namespace mailwarden::vault
