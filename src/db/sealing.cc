#include "db/sealing.h"

#include "base/check.h"

namespace mailwarden::db {
namespace {

// Each value but the last stands behind its length; the last one is what is left.
std::string joined(std::span<const std::string_view> values) {
  std::string all;
  for (const std::string_view value : values.first(values.size() - 1)) {
    all += std::to_string(value.size()) + ":" + std::string(value);
  }
  return all + std::string(values.back());
}

std::unexpected<Error> misread(const PersonalTable& table, std::string_view row) {
  return fail(Code::corrupt, "row " + std::string(row) + " of " + std::string(table.name) +
                                 ": what was sealed is not of its columns");
}

Result<std::vector<std::string>> parted(const PersonalTable& table, std::string_view row,
                                        std::string_view all) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i + 1 < table.columns.size(); ++i) {
    const std::size_t colon = all.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 9) return misread(table, row);
    std::size_t length = 0;
    for (const char c : all.substr(0, colon)) {
      if (c < '0' || c > '9') return misread(table, row);
      length = 10 * length + static_cast<std::size_t>(c - '0');
    }
    all.remove_prefix(colon + 1);
    if (length > all.size()) return misread(table, row);
    values.emplace_back(all.substr(0, length));
    all.remove_prefix(length);
  }
  values.emplace_back(all);
  return values;
}

FieldPlace place_of(const PersonalTable& table, std::string_view row) {
  return {.table = table.name, .column = table.columns.back().name, .row = row};
}

}  // namespace

std::string row_name(std::initializer_list<std::string_view> key) {
  return row_name(std::span(key.begin(), key.size()));
}

std::string row_name(std::span<const std::string_view> key) {
  std::string name;
  for (const std::string_view value : key) name += (name.empty() ? "" : "/") + std::string(value);
  return name;
}

Result<std::vector<std::string>> to_stored(Database& database, const PersonalTable& table,
                                           std::string_view row,
                                           std::initializer_list<std::string_view> plain) {
  CHECK(plain.size() == table.columns.size());
  if (database.sealing() == nullptr) return std::vector<std::string>(plain.begin(), plain.end());
  std::vector<std::string> stored;
  const std::span<const std::string_view> values(plain.begin(), plain.size());
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    if (!table.columns[i].indexed) {
      stored.emplace_back();
      continue;
    }
    auto index = database.sealing()->index(table.name, table.columns[i].name, values[i]);
    if (!index) return std::unexpected(index.error());
    stored.push_back(*std::move(index));
  }
  auto sealed = database.sealing()->seal(place_of(table, row), joined(values));
  if (!sealed) return std::unexpected(sealed.error());
  stored.push_back(*std::move(sealed));
  return stored;
}

Result<std::vector<std::string>> to_plain(Database& database, const PersonalTable& table,
                                          std::string_view row,
                                          std::span<const std::string_view> stored) {
  CHECK(stored.size() == table.columns.size());
  const std::string_view carrier = stored.back();
  if (!is_sealed(carrier)) return std::vector<std::string>(stored.begin(), stored.end());
  auto plain = open_row(database, table, row, carrier);
  if (!plain) return plain;
  for (std::size_t i = 0; i + 1 < table.columns.size(); ++i) {
    const std::string_view there = stored[i];
    std::string expected;
    if (table.columns[i].indexed) {
      auto index = database.sealing()->index(table.name, table.columns[i].name, (*plain)[i]);
      if (!index) return std::unexpected(index.error());
      expected = *std::move(index);
    }
    if (there == expected) continue;
    return fail(Code::corrupt, "row " + std::string(row) + " of " + std::string(table.name) +
                                   ": its column '" + std::string(table.columns[i].name) +
                                   "' does not fit what is sealed");
  }
  return plain;
}

Result<std::vector<std::string>> open_row(Database& database, const PersonalTable& table,
                                          std::string_view row, std::string_view sealed) {
  if (database.sealing() == nullptr) {
    return fail(Code::denied, "row " + std::string(row) + " of " + std::string(table.name) +
                                  " is encrypted, and the keys of the store are not given");
  }
  const auto opened = database.sealing()->open(place_of(table, row), sealed);
  if (!opened) return std::unexpected(opened.error());
  return parted(table, row, *opened);
}

Result<std::string> to_index(Database& database, const PersonalTable& table,
                             std::string_view column, std::string_view value) {
  if (database.sealing() == nullptr) return std::string(value);
  return database.sealing()->index(table.name, column, value);
}

}  // namespace mailwarden::db
