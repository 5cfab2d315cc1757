// Key-encryption keys behind a command, for key services that have a tool of their own.
//
// What     Each version of the key has a command that wraps and one that unwraps. A command reads
//          the bytes on its standard input and writes its answer to the standard output, as bytes
//          or as base64. It runs without a shell, as base/process.h says; wrapped keys are opaque.
//          For Google Cloud KMS, for instance, `gcloud kms encrypt … --plaintext-file=-
//          --ciphertext-file=-`, and for AWS `aws kms encrypt … --plaintext fileb:///dev/stdin
//          --query CiphertextBlob --output text` with answers in base64.
// Owns     Nothing but its options. Plain keys lie in memory for keys, and for a moment in the
//          pipes and in the command's own memory.
// Threads  As KeyProvider; a command holds up the others.
// Errors   unavailable: the command cannot be started, ends with another code than 0 or is not
//          done in time; what it says of errors is told. denied: it answers nothing, more than
//          there is room for, or no base64.
// Limits   time_out a command; wrapped_bytes_max and plain_bytes_max an answer; versions_max.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/timestamp.h"
#include "crypto/key_provider.h"

namespace mailwarden::crypto {

enum class CommandAnswer : std::uint8_t { bytes, base64 };

struct KekCommands {
  std::vector<std::string> wrap;  // the program's whole path, then its arguments
  std::vector<std::string> unwrap;
};

struct CommandKeyOptions {
  static constexpr std::size_t versions_max = 100;

  std::string name;                               // what the store calls the key
  std::map<std::uint32_t, KekCommands> versions;  // from 1; the greatest is the newest
  CommandAnswer answer = CommandAnswer::bytes;
  std::vector<std::string> environment;  // NAME=value: where the tool finds its credentials
  Duration time_out = std::chrono::seconds(10);
};

class CommandKeyProvider final : public KeyProvider {
 public:
  // invalid: no version, or a command that is not a whole path.
  static Result<std::unique_ptr<CommandKeyProvider>> make(CommandKeyOptions options,
                                                          Listener listener);
  std::string description() const override;

 private:
  CommandKeyProvider(CommandKeyOptions options, Listener listener);

  Result<KekName> do_newest() override;
  Result<Bytes> do_wrap(const KekName& kek, Piece plain) override;
  Result<SecretBytes> do_unwrap(const KekName& kek, Piece wrapped) override;
  Result<SecretBytes> run(const std::vector<std::string>& command, Piece input,
                          std::size_t answer_bytes_max) const;

  CommandKeyOptions options_;
};

}  // namespace mailwarden::crypto
