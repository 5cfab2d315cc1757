#include "vault/kek_uses.h"

#include <utility>

namespace mailwarden::vault {
namespace {

std::string cut(std::string_view text) {
  return std::string(text.substr(0, KekUses::text_bytes_max));
}

}  // namespace

crypto::KeyProvider::Listener KekUses::listener() {
  return [this](const crypto::KekUse& use) { add(use); };
}

void KekUses::add(const crypto::KekUse& use) {
  const bool succeeded = use.outcome.has_value();
  Kind kind(use.act, cut(use.kek.name), use.kek.version, cut(use.provider), succeeded);
  const std::lock_guard turn(mutex_);
  if (used_.size() >= groups_max && !used_.contains(kind)) {
    kind = {use.act, std::string(others), 0, "", succeeded};
  }
  const auto [at, is_new] = used_.try_emplace(kind);
  KekUsed& used = at->second;
  if (is_new) {
    used = {.act = use.act,
            .kek = {std::get<1>(kind), std::get<2>(kind)},
            .provider = std::get<3>(kind),
            .succeeded = succeeded,
            .first = cut(use.what_for),
            .error = succeeded ? "" : cut(use.outcome.error().what),
            .code = succeeded ? Code::unavailable : use.outcome.error().code};
  }
  ++used.count;
  used.last = cut(use.what_for);
}

std::vector<KekUsed> KekUses::take() {
  std::map<Kind, KekUsed> used;
  {
    const std::lock_guard turn(mutex_);
    used.swap(used_);
  }
  std::vector<KekUsed> all;
  for (auto& [kind, one] : used) all.push_back(std::move(one));
  return all;
}

json::Array to_records(std::span<const KekUsed> used) {
  json::Array records;
  for (const KekUsed& one : used) {
    json::Object record{{"act", one.act == crypto::KekAct::wrap ? "wrap" : "unwrap"},
                        {"kek", one.kek.name},
                        {"version", std::int64_t{one.kek.version}},
                        {"provider", one.provider},
                        {"count", one.count},
                        {"first", one.first},
                        {"last", one.last}};
    // The sentence may repeat what a key service says of people, and the entry is for everybody.
    if (!one.succeeded) record["error"] = one.code == Code::denied ? "denied" : "unavailable";
    records.emplace_back(std::move(record));
  }
  return records;
}

}  // namespace mailwarden::vault
