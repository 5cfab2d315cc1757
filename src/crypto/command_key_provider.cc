#include "crypto/command_key_provider.h"

#include <algorithm>

#include <openssl/evp.h>

#include "base/process.h"
#include "base/text.h"

namespace mailwarden::crypto {
namespace {

constexpr std::size_t said_bytes_max = 400;

std::size_t base64_bytes(std::size_t size) {
  return (size + 2) / 3 * 4;
}

// In place of the text; white space around it, such as the line's end, does not count.
Result<void> decode_base64(SecretBytes& answer) {
  const std::string_view text = trim(as_text(answer.bytes()));
  auto decoded = SecretBytes::make(text.size());
  if (!decoded) return std::unexpected(decoded.error());
  const auto padding = static_cast<std::size_t>(
      std::ranges::count(text.substr(text.size() - std::min<std::size_t>(2, text.size())), '='));
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded->bytes().data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (text.size() % 4 != 0 || size < 0) return fail(Code::denied, "its answer is not base64");
  decoded->shorten(static_cast<std::size_t>(size) - padding);
  answer = *std::move(decoded);
  return {};
}

}  // namespace

Result<std::unique_ptr<CommandKeyProvider>> CommandKeyProvider::make(CommandKeyOptions options,
                                                                     Listener listener) {
  if (options.versions.empty() || options.versions.size() > CommandKeyOptions::versions_max ||
      options.versions.begin()->first == 0) {
    return fail(Code::invalid, "key-encryption key '" + options.name + "': 1 to " +
                                   std::to_string(CommandKeyOptions::versions_max) +
                                   " versions are expected, counted from 1");
  }
  for (const auto& [version, commands] : options.versions) {
    for (const auto* command : {&commands.wrap, &commands.unwrap}) {
      if (!command->empty() && command->front().starts_with('/')) continue;
      return fail(Code::invalid, "key-encryption key " + to_string({options.name, version}) +
                                     ": a command begins with a program's whole path");
    }
  }
  return std::unique_ptr<CommandKeyProvider>(
      new CommandKeyProvider(std::move(options), std::move(listener)));
}

CommandKeyProvider::CommandKeyProvider(CommandKeyOptions options, Listener listener)
    : KeyProvider(std::move(listener)), options_(std::move(options)) {}

std::string CommandKeyProvider::description() const {
  return "command " + options_.versions.rbegin()->second.wrap.front();
}

Result<KekName> CommandKeyProvider::do_newest() {
  return KekName{options_.name, options_.versions.rbegin()->first};
}

Result<Bytes> CommandKeyProvider::do_wrap(const KekName& kek, Piece plain) {
  const auto wrapped = run(options_.versions.at(kek.version).wrap, plain, wrapped_bytes_max);
  if (!wrapped) return std::unexpected(wrapped.error());
  return Bytes(wrapped->bytes().begin(), wrapped->bytes().end());
}

Result<SecretBytes> CommandKeyProvider::do_unwrap(const KekName& kek, Piece wrapped) {
  const auto commands = options_.versions.find(kek.version);
  if (kek.name != options_.name || commands == options_.versions.end()) {
    return fail(Code::denied, "no command is set for it");
  }
  return run(commands->second.unwrap, wrapped, plain_bytes_max);
}

Result<SecretBytes> CommandKeyProvider::run(const std::vector<std::string>& command, Piece input,
                                            std::size_t answer_bytes_max) const {
  const bool base64 = options_.answer == CommandAnswer::base64;
  // Room for a line's end, too.
  auto answer = SecretBytes::make(base64 ? base64_bytes(answer_bytes_max) + 2 : answer_bytes_max);
  if (!answer) return answer;
  std::string said(said_bytes_max, '\0');
  const auto bytes = answer->bytes();
  const auto end = run_process({.command = command,
                                .environment = options_.environment,
                                .input = as_text(input),
                                .time_out = options_.time_out,
                                .output = {reinterpret_cast<char*>(bytes.data()), bytes.size()},
                                .errors = said});
  if (!end) return fail(Code::unavailable, end.error().what);
  if (const std::string failure = failure_of(*end); !failure.empty()) {
    const std::string why = printable(trim(std::string_view(said).substr(0, end->errors_bytes)));
    return fail(Code::unavailable,
                command.front() + " " + failure + (why.empty() ? "" : ", saying: " + why));
  }
  if (!end->output_whole) {
    return fail(Code::denied, command.front() + ": its answer has more than " +
                                  std::to_string(answer_bytes_max) + " bytes");
  }
  answer->shorten(end->output_bytes);
  if (base64) {
    if (auto decoded = decode_base64(*answer); !decoded) {
      return fail(command.front(), decoded.error());
    }
  }
  if (answer->size() == 0) return fail(Code::denied, command.front() + ": its answer is empty");
  return answer;
}

}  // namespace mailwarden::crypto
