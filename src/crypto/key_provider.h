// Where key-encryption keys are kept, and used.
//
// What     A KeyProvider wraps and unwraps data keys under a key-encryption key (KEK), which has a
//          name and versions. New keys are wrapped under the newest version; each version that a
//          store still names must stay until everything has been wrapped anew. Every use, whether
//          it succeeds or not, is told to whoever listens, so that it becomes an audit record.
// Owns     Whatever an implementation needs to reach its keys.
// Threads  Any; uses take turns.
// Errors   unavailable: the key cannot be reached; another try may succeed. denied: it is reached
//          and refuses, has no such version, or is another key than the one that wrapped. Both name
//          key, version and provider.
// Limits   plain_bytes_max of what is wrapped, wrapped_bytes_max of what comes out.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "crypto/aes.h"
#include "crypto/secret.h"

namespace mailwarden::crypto {

struct KekName {
  std::string name;
  std::uint32_t version = 0;

  bool operator==(const KekName&) const = default;
};

// "'mailwarden' version 2".
std::string to_string(const KekName& kek);

struct Wrapped {
  KekName kek;
  Bytes bytes;
};

enum class KekAct : std::uint8_t { wrap, unwrap };

// One use, as it is told.
struct KekUse {
  KekAct act = KekAct::wrap;
  KekName kek;
  std::string provider;  // kind and place: "file /etc/mailwarden/kek"
  std::string what_for;  // as the caller says: "data key 17 version 1"
  Result<void> outcome;
};

class KeyProvider {
 public:
  static constexpr std::size_t plain_bytes_max = 256;
  static constexpr std::size_t wrapped_bytes_max = 4096;
  using Listener = std::function<void(const KekUse&)>;

  explicit KeyProvider(Listener listener) : listener_(std::move(listener)) {}
  KeyProvider(const KeyProvider&) = delete;
  KeyProvider& operator=(const KeyProvider&) = delete;
  virtual ~KeyProvider() = default;

  // Under the newest version. `plain` has 1 to plain_bytes_max bytes.
  Result<Wrapped> wrap(Piece plain, const std::string& what_for);
  // Gives the bytes that were wrapped.
  Result<SecretBytes> unwrap(const KekName& kek, Piece wrapped, const std::string& what_for);

  // The key and version that wrap() uses.
  Result<KekName> newest();
  // Kind and place, for people.
  virtual std::string description() const = 0;

 private:
  virtual Result<KekName> do_newest() = 0;
  virtual Result<Bytes> do_wrap(const KekName& kek, Piece plain) = 0;
  virtual Result<SecretBytes> do_unwrap(const KekName& kek, Piece wrapped) = 0;

  void tell(KekAct act, const KekName& kek, const std::string& what_for,
            const Result<void>& outcome) const;

  Listener listener_;
  std::mutex mutex_;
};

}  // namespace mailwarden::crypto
