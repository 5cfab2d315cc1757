#include "http/ledger_api.h"

#include "http/answers.h"
#include "ledger/ledger.h"
#include "ledger/stored_tiles.h"

namespace mailwarden::http {
namespace {

using net::Response;

constexpr std::string_view checkpoint_path = "/checkpoint";

// A tile with as many hashes never changes.
Response immutable(std::string bytes) {
  return {.content_type = "application/octet-stream",
          .body = std::move(bytes),
          .headers = {{"Cache-Control", "public, max-age=31536000, immutable"}}};
}

// A full one, or the one that a tree of some size up to this ends with.
bool is_covered(const ledger::Tile& tile, std::uint64_t size) {
  const auto whole = ledger::tile_at(tile.level, tile.number, size);
  return whole && tile.width <= whole->width;
}

Response tile_of(db::Database& database, const ledger::Tile& tile) {
  if (tile.level) {
    const auto hashes = ledger::load_hashes(database, tile);
    return hashes ? immutable(ledger::join_hashes(*hashes)) : trouble(hashes.error());
  }
  const auto entries = ledger::load_bundle(database, tile);
  if (!entries) return trouble(entries.error());
  auto bundle = ledger::join_entries(*entries);
  return bundle ? immutable(*std::move(bundle)) : trouble(bundle.error());
}

}  // namespace

Response LedgerApi::answer(const net::Request& request) const {
  const auto store = open_store(store_);
  if (!store) return trouble(store.error());
  auto note = ledger::last_checkpoint(**store);
  if (!note) return trouble(note.error());
  if (request.path == checkpoint_path) {
    return {.content_type = "text/plain; charset=utf-8", .body = *std::move(note)};
  }
  const auto tile = ledger::parse_tile(std::string_view(request.path).substr(1));
  const auto checkpoint = ledger::parse_checkpoint(*note);
  if (!checkpoint) return trouble(checkpoint.error());
  if (!tile || !is_covered(*tile, checkpoint->size)) return trouble(404, "there is no such tile");
  return tile_of(**store, *tile);
}

}  // namespace mailwarden::http
