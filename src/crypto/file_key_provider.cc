#include "crypto/file_key_provider.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"
#include "crypto/key_file.h"
#include "crypto/sha256.h"

namespace mailwarden::crypto {
namespace {

constexpr std::string_view word = "mailwarden-kek ";
constexpr std::size_t key_digits = 2 * key_bytes;
constexpr std::size_t line_bytes_max = word.size() + 10 + 1 + key_digits + 1;
constexpr std::size_t file_bytes_max = FileKeyProvider::versions_max * line_bytes_max;

struct Version {
  std::uint32_t number = 0;
  std::size_t offset = 0;  // of its key in the memory
};

struct Keys {
  SecretBytes memory;
  std::vector<Version> versions;  // ascending
};

// Versions ascend, so that the newest is the last and none stands twice.
bool read_line(std::string_view line, Keys& keys) {
  if (!line.starts_with(word)) return false;
  line.remove_prefix(word.size());
  const std::size_t space = line.find(' ');
  const auto number = to_integer(line.substr(0, space));
  if (space == std::string_view::npos || !number || *number < 1 || *number > UINT32_MAX) {
    return false;
  }
  const auto version = static_cast<std::uint32_t>(*number);
  if (!keys.versions.empty() && keys.versions.back().number >= version) return false;
  const std::size_t offset = keys.versions.size() * key_bytes;
  if (!read_hex(line.substr(space + 1), keys.memory.bytes().subspan(offset, key_bytes))) {
    return false;
  }
  keys.versions.push_back({version, offset});
  return true;
}

Result<Keys> read_keys(const std::string& path) {
  const auto text = read_key_file(path, file_bytes_max);
  if (!text) return std::unexpected(text.error());
  auto memory = SecretBytes::make(FileKeyProvider::versions_max * key_bytes);
  if (!memory) return std::unexpected(memory.error());
  Keys keys{.memory = *std::move(memory)};
  std::string_view rest = as_text(text->bytes());
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (keys.versions.size() == FileKeyProvider::versions_max ||
        !read_line(rest.substr(0, end), keys)) {
      return fail(Code::corrupt, "key file " + path + ", line " + std::to_string(number) +
                                     ": not '" + std::string(word) +
                                     "VERSION' and 64 hex digits, versions ascending");
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (keys.versions.empty()) return fail(Code::corrupt, "key file " + path + ": it holds no key");
  return keys;
}

Result<void> write_keys(const std::string& path, const Keys& keys, KeyFileWrite how) {
  constexpr std::string_view digits = "0123456789abcdef";
  auto text = SecretBytes::make(file_bytes_max);
  if (!text) return std::unexpected(text.error());
  std::size_t at = 0;
  const auto put = [&](std::string_view part) {
    std::ranges::copy(as_bytes(part), text->bytes().subspan(at).begin());
    at += part.size();
  };
  for (const Version& version : keys.versions) {
    put(word);
    put(std::to_string(version.number));
    put(" ");
    for (const std::byte byte : keys.memory.bytes().subspan(version.offset, key_bytes)) {
      put(digits.substr(std::to_integer<unsigned>(byte) >> 4, 1));
      put(digits.substr(std::to_integer<unsigned>(byte) & 15, 1));
    }
    put("\n");
  }
  return write_key_file(path, text->bytes().first(at), how);
}

// For a use, which knows of two failures: the way to the key is missing, or it is barred.
Result<Keys> keys_in_use(const std::string& path) {
  auto keys = read_keys(path);
  if (keys) return keys;
  const Code code = keys.error().code;
  const bool barred = code == Code::denied || code == Code::corrupt;
  return fail(barred ? Code::denied : Code::unavailable, keys.error().what);
}

Result<KeyView> key_of(const Keys& keys, std::uint32_t version) {
  const auto found = std::ranges::find(keys.versions, version, &Version::number);
  if (found == keys.versions.end()) return fail(Code::denied, "the file holds no such version");
  return KeyView(keys.memory.bytes().subspan(found->offset).first<key_bytes>());
}

}  // namespace

FileKeyProvider::FileKeyProvider(std::string path, std::string name, Listener listener)
    : KeyProvider(std::move(listener)), path_(std::move(path)), name_(std::move(name)) {}

Result<void> FileKeyProvider::create(const std::string& path, Entropy& entropy) {
  auto memory = SecretBytes::make(key_bytes);
  if (!memory) return std::unexpected(memory.error());
  entropy.fill(memory->bytes(), "key-encryption key");
  return write_keys(path, {*std::move(memory), {{.number = 1, .offset = 0}}}, KeyFileWrite::anew);
}

Result<std::uint32_t> FileKeyProvider::add_version(const std::string& path, Entropy& entropy) {
  auto keys = read_keys(path);
  if (!keys) return std::unexpected(keys.error());
  if (keys->versions.size() == versions_max || keys->versions.back().number == UINT32_MAX) {
    return fail(Code::full, "key file " + path + ": it holds " + std::to_string(versions_max) +
                                " versions already; drop old ones first");
  }
  const Version added{.number = keys->versions.back().number + 1,
                      .offset = keys->versions.size() * key_bytes};
  entropy.fill(keys->memory.bytes().subspan(added.offset, key_bytes), "key-encryption key");
  keys->versions.push_back(added);
  if (auto written = write_keys(path, *keys, KeyFileWrite::in_place_of); !written) {
    return std::unexpected(written.error());
  }
  return added.number;
}

Result<void> FileKeyProvider::drop_version(const std::string& path, std::uint32_t version) {
  auto keys = read_keys(path);
  if (!keys) return std::unexpected(keys.error());
  if (keys->versions.back().number == version) {
    return fail(Code::conflict, "key file " + path + ": version " + std::to_string(version) +
                                    " is the newest and in use; add the next one first");
  }
  if (std::erase_if(keys->versions, [&](const Version& v) { return v.number == version; }) == 0) {
    return fail(Code::not_found,
                "key file " + path + ": it holds no version " + std::to_string(version));
  }
  return write_keys(path, *keys, KeyFileWrite::in_place_of);
}

std::string FileKeyProvider::description() const {
  return "file " + path_;
}

Result<KekName> FileKeyProvider::do_newest() {
  const auto keys = keys_in_use(path_);
  if (!keys) return std::unexpected(keys.error());
  return KekName{name_, keys->versions.back().number};
}

Result<Bytes> FileKeyProvider::do_wrap(const KekName& kek, Piece plain) {
  const auto keys = keys_in_use(path_);
  if (!keys) return std::unexpected(keys.error());
  const auto key = key_of(*keys, kek.version);
  if (!key) return std::unexpected(key.error());
  return wrap_.wrap(*key, plain);
}

Result<SecretBytes> FileKeyProvider::do_unwrap(const KekName& kek, Piece wrapped) {
  if (kek.name != name_) return fail(Code::denied, "this provider has '" + name_ + "' alone");
  const auto keys = keys_in_use(path_);
  if (!keys) return std::unexpected(keys.error());
  const auto key = key_of(*keys, kek.version);
  if (!key) return std::unexpected(key.error());
  auto plain = SecretBytes::make(wrapped.size());
  if (!plain) return plain;
  const auto size = wrap_.unwrap(*key, wrapped, plain->bytes());
  if (!size) {
    return fail(Code::denied,
                "it does not unwrap this: it is another key, or the wrapped key was changed");
  }
  plain->shorten(*size);
  return plain;
}

}  // namespace mailwarden::crypto
