// SSH keys of accounts: taken out of authorized_keys, kept aside, given back.
#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "json/base64.h"
#include "respond/action_parts.h"
#include "respond/home_file.h"
#include "respond/local_accounts.h"

namespace mailwarden::respond {
namespace {

constexpr std::size_t kept_keys_bytes_max = std::size_t{4} << 20;
constexpr std::string_view fingerprint_head = "SHA256:";

struct Key {
  LocalAccount account;
  std::string home;  // with the folder that it stands under
  crypto::Digest digest{};
};

Result<Key> find_key(const Work& work) {
  const AccountEffects& settings = *work.settings.accounts;
  auto account = find_account(work.text("account"), settings);
  if (!account) return std::unexpected(account.error());
  if (!is_plain_path(account->home)) {
    return fail(Code::denied, in_quotes(account->name) + " has no home");
  }
  const std::string fingerprint = work.text("fingerprint");
  // ssh-keygen leaves out the padding of 32 bytes.
  const auto bytes = fingerprint.starts_with(fingerprint_head)
                         ? json::from_base64(fingerprint.substr(fingerprint_head.size()) + "=")
                         : fail(Code::invalid, "");
  Key key{.account = *std::move(account)};
  if (!bytes || bytes->size() != key.digest.size()) {
    return fail(Code::invalid, in_quotes(fingerprint) + " is no fingerprint such as SHA256:…");
  }
  std::ranges::copy(std::as_bytes(std::span(*bytes)), key.digest.begin());
  key.home = settings.root + key.account.home;
  return key;
}

// Whether any word of the line is the key. Options may stand before it, so all are looked at.
bool holds_key(std::string_view line, const crypto::Digest& digest) {
  constexpr std::string_view between = " \t\",='\r";
  while (!line.empty()) {
    const std::size_t end = line.find_first_of(between);
    std::string word(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    if (!word.starts_with("AAAA")) continue;
    // '=' was taken for a separator, since it stands behind the names of options, too.
    word.append((4 - word.size() % 4) % 4, '=');
    const auto blob = json::from_base64(word);
    if (blob && crypto::sha256(*blob) == digest) return true;
  }
  return false;
}

struct Divided {
  std::string others;              // the text without the key's lines
  std::vector<std::string> lines;  // those
};
Divided divide(std::string_view text, const crypto::Digest& digest) {
  Divided divided;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (holds_key(line.substr(0, line.find('\n')), digest)) {
      divided.lines.emplace_back(line.substr(0, line.find('\n')));
    } else {
      divided.others += line;
    }
  }
  return divided;
}

// A folder a key, a file for each file that it stood in.
std::string kept_path(const Work& work, const Key& key, const std::string& file) {
  return work.settings.keep + "/ssh_keys/" + key.account.name + "/" + crypto::to_hex(key.digest) +
         "/" + crypto::to_hex(crypto::sha256(file)) + ".json";
}

struct Kept {
  std::vector<std::string> lines;
  HomeFile::Attributes attributes;
};

Result<Kept> read_kept(const std::string& path) {
  const auto text = read_regular_file(path, kept_keys_bytes_max);
  if (!text) return std::unexpected(text.error());
  const auto value = json::parse(*text);
  const json::Array* const lines = value ? (*value)["lines"].as_array() : nullptr;
  if (lines == nullptr) return fail(Code::denied, path + ": is not what was written there");
  Kept kept;
  for (const json::Value& line : *lines) {
    const auto bytes = json::from_base64(line.as_string() == nullptr ? "?" : *line.as_string());
    if (!bytes) return fail(Code::denied, path + ": is not what was written there");
    kept.lines.push_back(*bytes);
  }
  kept.attributes = {.uid = static_cast<uid_t>(value->integer("uid")),
                     .gid = static_cast<gid_t>(value->integer("gid")),
                     .mode = static_cast<mode_t>(value->integer("mode"))};
  return kept;
}

// Besides what was kept before: a key that came back has not made the first one forgotten.
Result<void> keep(const std::string& path, const std::string& file, const Divided& divided,
                  const HomeFile::Attributes& attributes) {
  auto before = read_kept(path);
  if (!before && before.error().code != Code::not_found) return std::unexpected(before.error());
  std::vector<std::string> lines = before ? before->lines : std::vector<std::string>();
  for (const std::string& line : divided.lines) {
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
  }
  json::Array texts;
  for (const std::string& line : lines) texts.emplace_back(json::to_base64(line));
  return write_file_durably(
      path, json::to_text(json::Object{{"file", file},
                                       {"lines", std::move(texts)},
                                       {"uid", static_cast<std::int64_t>(attributes.uid)},
                                       {"gid", static_cast<std::int64_t>(attributes.gid)},
                                       {"mode", static_cast<std::int64_t>(attributes.mode)}}));
}

Result<void> remove_from(const Work& work, const Key& key, const std::string& name) {
  const auto file = HomeFile::open(key.home, name, key.account.uid);
  if (!file) {
    if (file.error().code == Code::not_found) return {};
    return std::unexpected(file.error());
  }
  auto content = file->read();
  if (!content) {
    if (content.error().code == Code::not_found) return {};
    return std::unexpected(content.error());
  }
  Divided divided = divide(content->text, key.digest);
  if (divided.lines.empty()) return {};
  const std::string path = kept_path(work, key, name);
  if (auto kept = keep(path, name, divided, content->attributes); !kept) return kept;
  content->text = std::move(divided.others);
  return file->write(*content);
}

Result<void> restore_to(const Work& work, const Key& key, const std::string& name) {
  const std::string path = kept_path(work, key, name);
  const auto kept = read_kept(path);
  if (!kept) {
    if (kept.error().code == Code::not_found) return {};
    return std::unexpected(kept.error());
  }
  const auto file = HomeFile::open(key.home, name, key.account.uid);
  if (!file) return std::unexpected(file.error());
  auto content = file->read();
  if (!content && content.error().code == Code::not_found) {
    content = HomeFile::Content{.text = {}, .attributes = kept->attributes};
  }
  if (!content) return std::unexpected(content.error());
  const auto there = divide(content->text, key.digest).lines;
  std::string missing;
  for (const std::string& line : kept->lines) {
    if (std::ranges::find(there, line) == there.end()) missing += line + "\n";
  }
  if (!content->text.empty() && !content->text.ends_with('\n')) content->text += '\n';
  content->text += missing;
  if (auto written = file->write(*content); !written) return written;
  std::error_code failed;
  std::filesystem::remove(path, failed);
  return failed ? fail(Code::io, path + ": " + failed.message()) : Result<void>();
}

using KeyStep = Result<void> (*)(const Work& work, const Key& key, const std::string& name);

Result<json::Object> in_each_file(const Work& work, KeyStep step) {
  const auto key = find_key(work);
  if (!key) return std::unexpected(key.error());
  for (const std::string& name : work.settings.accounts->authorized_keys) {
    if (auto done = step(work, *key, name); !done) return std::unexpected(done.error());
  }
  return json::Object{};
}

Result<json::Object> remove_key(const Work& work) {
  return in_each_file(work, remove_from);
}

// That nothing was kept is a mistake of whoever asks, unless the key is there.
Result<bool> probe_there(const Work& work) {
  const auto key = find_key(work);
  if (!key) return std::unexpected(key.error());
  for (const std::string& name : work.settings.accounts->authorized_keys) {
    const auto file = HomeFile::open(key->home, name, key->account.uid);
    const auto content = file ? file->read() : std::unexpected(file.error());
    if (content) {
      if (!divide(content->text, key->digest).lines.empty()) return true;
    } else if (content.error().code != Code::not_found) {
      return std::unexpected(content.error());
    }
  }
  return false;
}

Result<json::Object> restore(const Work& work) {
  auto done = in_each_file(work, restore_to);
  if (!done) return done;
  const auto there = probe_there(work);
  if (!there) return std::unexpected(there.error());
  if (*there) return done;
  return fail(Code::denied, "no key " + in_quotes(work.text("fingerprint")) + " of " +
                                in_quotes(work.text("account")) + " was taken away");
}

Result<bool> probe_gone(const Work& work) {
  const auto there = probe_there(work);
  if (!there) return std::unexpected(there.error());
  return !*there;
}

std::string files_of(const Work& work) {
  std::string names;
  for (const std::string& name : work.settings.accounts->authorized_keys) {
    names += (names.empty() ? "" : " and ") + name;
  }
  return names + " of the account " + in_quotes(work.text("account"));
}

std::string describe_key_removal(const Work& work) {
  return "take the key " + in_quotes(work.text("fingerprint")) + " out of " + files_of(work) +
         " and keep its line below " + work.settings.keep;
}
std::string describe_restore(const Work& work) {
  return "give the key " + in_quotes(work.text("fingerprint")) + " back to " + files_of(work) +
         ", as it was kept below " + work.settings.keep;
}

}  // namespace

const Action remove_ssh_key{"remove_ssh_key", remove_key, probe_gone, describe_key_removal};
const Action restore_ssh_key{"restore_ssh_key", restore, probe_there, describe_restore};

}  // namespace mailwarden::respond
