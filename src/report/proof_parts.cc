#include "report/proof_parts.h"

#include <algorithm>

#include "json/base64.h"

namespace mailwarden::report {
namespace {

std::string base64(std::span<const std::byte> bytes) {
  return json::to_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::unexpected<Error> no_proof(const std::string& what) {
  return fail(Code::invalid, "it does not tell " + what);
}

}  // namespace

json::Object content_json(const std::string& record, const crypto::Salt& salt) {
  return {{"record", record}, {"salt", base64(salt)}};
}

json::Array hashes_json(std::span<const ledger::Digest> hashes) {
  json::Array list;
  for (const ledger::Digest& hash : hashes) list.emplace_back(base64(hash));
  return list;
}

Result<std::vector<ledger::Digest>> read_hashes(const json::Value& list) {
  std::vector<ledger::Digest> hashes;
  if (list.as_array() == nullptr) return no_proof("its hashes");
  for (const json::Value& one : *list.as_array()) {
    const std::string* const text = one.as_string();
    const auto bytes = text == nullptr ? Result<std::string>() : json::from_base64(*text);
    ledger::Digest hash{};
    if (!bytes || bytes->size() != hash.size()) return no_proof("its hashes");
    std::ranges::copy(crypto::as_bytes(*bytes), hash.begin());
    hashes.push_back(hash);
  }
  return hashes;
}

Result<Content> read_content(const json::Value& from) {
  const std::string text = from.text("record");
  const auto record = json::parse(text);
  const auto salt = json::from_base64(from.text("salt"));
  if (!record || !salt || salt->size() != std::tuple_size_v<ledger::Salt>) {
    return no_proof("a record and its salt");
  }
  return Content{.record = *record,
                 .leaf = ledger::leaf_hash(ledger::commitment(crypto::as_bytes(*salt), text))};
}

json::Object event_json(const ingest::EventRow& event, const ingest::EventBatchRow& batch,
                        std::span<const crypto::Digest> commitments) {
  std::vector<ledger::Digest> leaves;
  leaves.reserve(commitments.size());
  for (const crypto::Digest& one : commitments) leaves.push_back(ledger::leaf_hash(one));
  const auto index = static_cast<std::uint64_t>(event.number - batch.first);
  json::Object part = content_json(event.record, event.salt);
  part["index"] = static_cast<std::int64_t>(index);
  part["size"] = batch.count;
  part["hashes"] = hashes_json(ledger::inclusion_proof(leaves, index));
  return part;
}

Result<json::Value> check_event(const json::Value& event, const json::Value& batch) {
  const auto content = read_content(event);
  if (!content) return std::unexpected(content.error());
  const auto root = crypto::digest_from_hex(batch.text("root"));
  if (!root) return no_proof("an entry with a batch of events");
  const auto hashes = read_hashes(event["hashes"]);
  if (!hashes) return std::unexpected(hashes.error());
  const std::int64_t index = event.integer("index", -1);
  const std::int64_t size = batch.integer("count", -1);
  const bool holds = index >= 0 && size > 0 &&
                     ledger::verify_inclusion(content->leaf, static_cast<std::uint64_t>(index),
                                              static_cast<std::uint64_t>(size), *hashes, *root);
  if (!holds) return fail(Code::denied, "the event is not one of the batch that the entry has");
  return content->record;
}

}  // namespace mailwarden::report
