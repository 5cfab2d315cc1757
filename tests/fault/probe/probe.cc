// Does to a folder what the tests then crash: fault_probe WHAT FOLDER. What it holds to be durable
// it says by a line in FOLDER/outside/said.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "base/check.h"
#include "base/files.h"
#include "crypto/ed25519.h"
#include "crypto/entropy.h"
#include "crypto/sha256.h"
#include "db/open.h"

namespace mailwarden {
namespace {

void say(const std::string& folder, std::string_view line) {
  const int file =
      ::open((folder + "/outside/said").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string text = std::string(line) + "\n";
  CHECK(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(file);
}

void write(const std::string& path, std::string_view text, bool is_synced) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  if (is_synced) CHECK(::fsync(file) == 0);
  ::close(file);
}

void sync_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK(::fsync(folder) == 0);
  ::close(folder);
}

void nothing_synced(const std::string& folder) {
  write(folder + "/new", "new", false);
}
void file_synced(const std::string& folder) {
  write(folder + "/new", "new", true);
}
void folder_synced(const std::string& folder) {
  write(folder + "/new", "new", false);
  sync_folder(folder);
}
void all_synced(const std::string& folder) {
  write(folder + "/new", "new", true);
  sync_folder(folder);
}
void written_over(const std::string& folder) {
  const int file = ::open((folder + "/old").c_str(), O_WRONLY | O_CLOEXEC);
  CHECK(::pwrite(file, "X", 1, 1) == 1);
  ::close(file);
}
void cut(const std::string& folder) {
  const int file = ::open((folder + "/old").c_str(), O_WRONLY | O_CLOEXEC);
  CHECK(::ftruncate(file, 1) == 0);
  ::fdatasync(file);
  ::close(file);
}
void renamed(const std::string& folder) {
  write(folder + "/new", "new", true);
  CHECK(::rename((folder + "/new").c_str(), (folder + "/old").c_str()) == 0);
}
void rename_synced(const std::string& folder) {
  renamed(folder);
  sync_folder(folder);
}
void removed(const std::string& folder) {
  CHECK(::unlink((folder + "/old").c_str()) == 0);
}
void stdio(const std::string& folder) {
  std::FILE* const file = std::fopen((folder + "/new").c_str(), "w");
  std::fputs("new", file);
  std::fclose(file);
}

void write_durably(const std::string& folder) {
  for (const std::string name : {"a", "b/c/d", "b/c/e", "a"}) {
    CHECK(write_file_durably(folder + "/" + name, std::string(3000, name.back())));
    say(folder, name);
  }
}

void make_key(const std::string& folder) {
  crypto::SystemEntropy entropy;
  const auto key = crypto::Signer::create(folder + "/key", entropy);
  CHECK(key);
  say(folder, crypto::to_hex(key->public_key()));
}

// More than the log takes before it is carried into the store, twice.
void commit_rows(const std::string& folder, bool is_synced) {
  constexpr int commits = 60;
  constexpr int rows = 40;
  const std::string text(15'000, 'x');
  // Where checkpoints run beside, they sync by themselves.
  const auto store =
      db::open_url("sqlite:" + folder + "/m.db", {.checkpoints_beside = is_synced}).value();
  if (!is_synced) CHECK(store->execute("PRAGMA synchronous=OFF"));
  CHECK(store->execute("CREATE TABLE t (number INTEGER PRIMARY KEY, text TEXT)"));
  for (int commit = 0; commit < commits; ++commit) {
    auto transaction = db::Transaction::begin(*store);
    CHECK(transaction);
    for (int row = 0; row < rows; ++row) {
      CHECK(store->run("INSERT INTO t (text) VALUES ($1)", {std::string_view(text)}));
    }
    CHECK(transaction->commit());
    say(folder, "committed");
  }
}

void commit_synced(const std::string& folder) {
  commit_rows(folder, true);
}
void commit_unsynced(const std::string& folder) {
  commit_rows(folder, false);
}

struct Act {
  std::string_view name;
  void (*run)(const std::string& folder);
};

constexpr std::array acts{Act{"nothing_synced", nothing_synced},
                          Act{"file_synced", file_synced},
                          Act{"folder_synced", folder_synced},
                          Act{"all_synced", all_synced},
                          Act{"written_over", written_over},
                          Act{"cut", cut},
                          Act{"renamed", renamed},
                          Act{"rename_synced", rename_synced},
                          Act{"removed", removed},
                          Act{"stdio", stdio},
                          Act{"write_durably", write_durably},
                          Act{"make_key", make_key},
                          Act{"commit_synced", commit_synced},
                          Act{"commit_unsynced", commit_unsynced}};

}  // namespace
}  // namespace mailwarden

int main(int count, char** words) {
  if (count != 3) return 2;
  for (const mailwarden::Act& act : mailwarden::acts) {
    if (act.name != words[1]) continue;
    act.run(words[2]);
    return 0;
  }
  return 2;
}
