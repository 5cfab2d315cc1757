// Where the key-encryption key (KEK) is kept, as a setting says it.
//
// What     parse_kek() reads one line:
//            file:/etc/mailwarden/kek
//            pkcs11:/usr/lib/softhsm/libsofthsm2.so,token=warden,pin=/etc/mailwarden/pin,key=LABEL
//            command:/etc/mailwarden/kms.yaml
//          each with ,name=NAME for what the store calls the key (mailwarden). make_provider()
//          makes the provider. The file of `command` is YAML:
//            answer: bytes              # or base64
//            time-out: 10s
//            environment: {NAME: value}
//            versions:
//              1:
//                wrap: [/usr/bin/program, argument]
//                unwrap: [/usr/bin/program, argument]
// Owns     Its content.
// Threads  Pure, but for the file of `command`.
// Errors   invalid: every mistake, each in a sentence with what would be right; of the file all of
//          them, with their lines. Of the file that cannot be read: as read_whole_file().
// Limits   CommandKeyOptions::versions_max versions; commands_bytes_max the file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/entropy.h"
#include "crypto/command_key_provider.h"
#include "crypto/key_provider.h"

namespace mailwarden::vault {

inline constexpr std::size_t commands_bytes_max = std::size_t{256} * 1024;

struct FileKek {
  std::string path;

  bool operator==(const FileKek&) const = default;
};

struct TokenKek {
  std::string module;
  std::string token;
  std::string pin_file;
  std::string key_label = "mailwarden";

  bool operator==(const TokenKek&) const = default;
};

struct CommandKek {
  std::string file;

  bool operator==(const CommandKek&) const = default;
};

struct KekSpec {
  std::string name = "mailwarden";
  std::variant<FileKek, TokenKek, CommandKek> place;

  bool operator==(const KekSpec&) const = default;
};

// Looks at nothing but the text.
Result<KekSpec> parse_kek(std::string_view text);

// What the file of a CommandKek says; `file` is for messages.
Result<crypto::CommandKeyOptions> parse_kek_commands(std::string_view text,
                                                     const std::string& file);

// Whether make_provider() would make it; no key is asked for.
Result<void> check_kek(const KekSpec& spec);

// `entropy` must outlive it.
Result<std::unique_ptr<crypto::KeyProvider>> make_provider(const KekSpec& spec, Entropy& entropy,
                                                           crypto::KeyProvider::Listener listener);

}  // namespace mailwarden::vault
