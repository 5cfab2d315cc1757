// Uses of the key-encryption key, gathered until somebody records them.
//
// What     A KekUses is the listener of a KeyProvider. Uses that are alike in act, key, version,
//          provider and whether they succeeded count together, with what the first and the last of
//          them was for, so that a thousand new subjects make one record and not a thousand.
//          take() gives what was gathered since it was called last.
// Owns     What was gathered.
// Threads  Any. listener() must not be called behind the end of this.
// Errors   None.
// Limits   groups_max kinds of uses; those of further kinds count together, without naming key and
//          provider. text_bytes_max of each text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "crypto/key_provider.h"
#include "json/value.h"

namespace mailwarden::vault {

// Uses that are alike.
struct KekUsed {
  crypto::KekAct act = crypto::KekAct::wrap;
  crypto::KekName kek;
  std::string provider;
  bool succeeded = true;
  std::int64_t count = 0;
  std::string first;  // what it was for
  std::string last;
  std::string error;              // of the first one; "" where they succeeded
  Code code = Code::unavailable;  // of that one
};

class KekUses {
 public:
  static constexpr std::size_t groups_max = 64;
  static constexpr std::size_t text_bytes_max = 512;
  // The name of the key where there were more kinds of uses than groups_max.
  static constexpr std::string_view others = "(others)";

  crypto::KeyProvider::Listener listener();

  std::vector<KekUsed> take();

 private:
  // Act, key, version, provider, whether it succeeded.
  using Kind = std::tuple<crypto::KekAct, std::string, std::uint32_t, std::string, bool>;

  void add(const crypto::KekUse& use);

  std::mutex mutex_;
  std::map<Kind, KekUsed> used_;
};

// {"act": "wrap" or "unwrap", "kek", "version", "provider", "count", "first", "last"}, and of
// failures "error": "unavailable" or "denied".
json::Array to_records(std::span<const KekUsed> used);

}  // namespace mailwarden::vault
