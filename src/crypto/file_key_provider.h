// Key-encryption keys in a file.
//
// What     A line a version: "mailwarden-kek VERSION" and 64 hex digits. Wrapping is AES-256 key
//          wrap with padding. create() begins a file, add_version() appends the next version,
//          drop_version() takes one out; a provider holds what the file had when it was opened.
// Owns     The keys, in memory for keys.
// Threads  As KeyProvider; the functions that write one file are for one caller at a time.
// Errors   open(): not_found; denied: the file is not closed to others (key_file.h); corrupt: a
//          line is wrong, named by its number. Others as KeyProvider.
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
  static Result<std::unique_ptr<FileKeyProvider>> open(const std::string& path,
                                                       const std::string& name, Listener listener);

  // conflict where the file is there already.
  static Result<void> create(const std::string& path, Entropy& entropy);
  // Answers the new version's number.
  static Result<std::uint32_t> add_version(const std::string& path, Entropy& entropy);
  // What was wrapped under that version can never be unwrapped again. The newest one stays.
  static Result<void> drop_version(const std::string& path, std::uint32_t version);

  ~FileKeyProvider() override;
  std::string description() const override;

  struct Version {
    std::uint32_t number = 0;
    std::size_t offset = 0;  // of its key in the keys' memory
  };

 private:
  FileKeyProvider(std::string path, std::string name, Listener listener);

  Result<KekName> do_newest() override;
  Result<Bytes> do_wrap(const KekName& kek, Piece plain) override;
  Result<SecretBytes> do_unwrap(const KekName& kek, Piece wrapped) override;
  Result<KeyView> key_of(const KekName& kek) const;

  std::string path_;
  std::string name_;
  SecretBytes keys_;
  std::vector<Version> versions_;  // ascending
  KeyWrap wrap_;
};

}  // namespace mailwarden::crypto
