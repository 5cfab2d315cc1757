// What entries say, in stores with keys and without.
#include <algorithm>
#include <array>

#include "ledger/ledger.h"

namespace mailwarden::ledger {
namespace {

constexpr std::array<std::string_view, 1> entry_key{"number"};
constexpr std::array personal_columns{db::PersonalColumn{"record"}};
constexpr db::PersonalTable personal{
    .name = "ledger_entry", .key = entry_key, .columns = personal_columns};

constexpr std::array<std::string_view, 9> open_kinds{
    "events", "key", "key_use", "policies", "removal", "schema", "seal", "start", "stop"};

}  // namespace

const db::PersonalTable& personal_entries() {
  return personal;
}

bool is_personal(std::string_view kind) {
  return std::ranges::find(open_kinds, kind) == open_kinds.end();
}

namespace {

struct NewestRecord {
  std::int64_t number = 0;
  std::string record;  // as it is stored
};

// Of a kind that is sealed in a store with keys.
Result<std::optional<NewestRecord>> newest_personal(db::Database& database) {
  static const std::string sql = [] {
    std::string kinds;
    for (const std::string_view kind : open_kinds) {
      kinds += (kinds.empty() ? "'" : ", '") + std::string(kind) + "'";
    }
    return "SELECT number, record FROM ledger_entry WHERE record IS NOT NULL AND kind NOT IN (" +
           kinds + ") ORDER BY number DESC LIMIT 1";
  }();
  const auto rows = database.query(sql);
  if (!rows) return std::unexpected(rows.error());
  const auto found = (*rows)->step();
  if (!found) return std::unexpected(found.error());
  std::optional<NewestRecord> newest;
  if (*found) newest = {(*rows)->integer(0), std::string((*rows)->text(1))};
  if (auto ended = (*rows)->bind(std::span<const db::Value>()); !ended) {
    return std::unexpected(ended.error());
  }
  return newest;
}

}  // namespace

Result<std::optional<bool>> is_sealed(db::Database& database) {
  const auto newest = newest_personal(database);
  if (!newest) return std::unexpected(newest.error());
  if (!*newest) return std::optional<bool>();
  return std::optional(db::is_sealed((*newest)->record));
}

Result<void> check_keys(db::Database& database) {
  const auto newest = newest_personal(database);
  if (!newest) return std::unexpected(newest.error());
  if (!*newest) return {};
  const bool is_sealed = db::is_sealed((*newest)->record);
  if (is_sealed && database.sealing() == nullptr) {
    return fail(Code::invalid,
                "it is encrypted, and its keys are not given (settings 'keys' and 'kek')");
  }
  if (!is_sealed && database.sealing() != nullptr) {
    return fail(Code::invalid,
                "it was begun without keys and holds what is not encrypted; keys are for a store "
                "that is begun with them");
  }
  if (!is_sealed) return {};
  const std::string row = std::to_string((*newest)->number);
  const auto opened = db::to_plain(database, personal, row, {(*newest)->record});
  // A key of one's own that was shredded is this book's all the same.
  if (opened || opened.error().code == Code::not_found) return {};
  return fail("the keys given do not open it", opened.error());
}

Result<Content> read_content(db::Database& database, std::int64_t number, const db::Statement& row,
                             int record_column, int salt_column) {
  Content content;
  if (row.is_null(record_column)) {
    content.erased = true;
    return content;
  }
  const std::string_view stored = row.text(record_column);
  if (!db::is_sealed(stored)) {
    const db::Blob salt = row.blob(salt_column);
    if (salt.size() == content.salt.size()) std::ranges::copy(salt, content.salt.begin());
    content.record = stored;
    return content;
  }
  auto opened = db::to_plain(database, personal, std::to_string(number), {stored});
  if (!opened && opened.error().code == Code::not_found) {
    content.erased = true;
    return content;
  }
  if (!opened) return std::unexpected(opened.error());
  if (!crypto::read_salted(opened->front(), content.salt, content.record)) {
    return fail(Code::corrupt, "entry " + std::to_string(number) + ": what was sealed has no salt");
  }
  return content;
}

}  // namespace mailwarden::ledger
