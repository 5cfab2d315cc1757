// Key-encryption keys in a file.
//
// What     A line a version: "mailwarden-kek VERSION" and 64 hex digits. Wrapping is AES-256 key
//          wrap with padding. The file is read at each use, so that its keys are in memory for no
//          longer, and what somebody changes in it counts at once. create() begins a file,
//          add_version() appends the next version, drop_version() takes one out.
// Owns     Nothing but the path.
// Threads  As KeyProvider; the functions that write one file are for one caller at a time.
// Errors   As KeyProvider, where a file that is not closed to others (key_file.h) or has a wrong
//          line is denied. The functions that write: not_found, denied, conflict, io.
// Limits   versions_max versions.
// Source   RFC 5649.
#pragma once

#include <memory>
#include <string>

#include "base/entropy.h"
#include "crypto/key_provider.h"

namespace mailwarden::crypto {

class FileKeyProvider final : public KeyProvider {
 public:
  static constexpr std::size_t versions_max = 100;

  // `name` is what the store calls the key.
  FileKeyProvider(std::string path, std::string name, Listener listener);

  // conflict where the file is there already.
  static Result<void> create(const std::string& path, Entropy& entropy);
  // Answers the new version's number.
  static Result<std::uint32_t> add_version(const std::string& path, Entropy& entropy);
  // What was wrapped under that version can never be unwrapped again. The newest one stays.
  static Result<void> drop_version(const std::string& path, std::uint32_t version);

  std::string description() const override;

 private:
  Result<KekName> do_newest() override;
  Result<Bytes> do_wrap(const KekName& kek, Piece plain) override;
  Result<SecretBytes> do_unwrap(const KekName& kek, Piece wrapped) override;

  std::string path_;
  std::string name_;
  KeyWrap wrap_;
};

}  // namespace mailwarden::crypto
