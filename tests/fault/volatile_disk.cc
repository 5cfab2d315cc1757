#include "tests/fault/volatile_disk.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/check.h"
#include "tests/temporary.h"

namespace mailwarden::fault {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t sector = 512;

bool falls(std::mt19937& random) {
  return (random() & 1U) != 0;
}

}  // namespace

std::vector<Operation> read_journal(const std::string& path) {
  const std::string journal = read_file(path);
  std::vector<Operation> operations;
  std::size_t at = 0;
  while (at + sizeof(Header) <= journal.size()) {
    Header header;
    std::memcpy(&header, journal.data() + at, sizeof header);
    at += sizeof header;
    Operation next{.kind = header.kind, .file = header.file, .place = header.place};
    next.name = journal.substr(at, header.name_bytes);
    next.data = journal.substr(at + header.name_bytes, header.data_bytes);
    at += header.name_bytes + header.data_bytes;
    next.end = at;
    operations.push_back(std::move(next));
  }
  CHECK(at == journal.size());
  return operations;
}

VolatileDisk::VolatileDisk(std::string path, const std::string& contents, Names names)
    : path_(std::move(path)), names_(names), root_(load(contents)) {}

VolatileDisk::Pointer VolatileDisk::load(const std::string& contents) {
  auto folder = std::make_shared<Node>(Node{.is_folder = true});
  for (const auto& entry : fs::directory_iterator(contents)) {
    Pointer node;
    if (entry.is_directory()) {
      node = load(entry.path().string());
    } else {
      const std::string bytes = read_file(entry.path().string());
      node = std::make_shared<Node>(Node{.durable = bytes, .current = bytes});
    }
    folder->names[entry.path().filename().string()] = node;
  }
  folder->durable_names = folder->names;
  return folder;
}

void VolatileDisk::change(std::string& bytes, const Change& change) {
  if (change.is_truncation) {
    bytes.resize(change.place);
    return;
  }
  bytes.resize(std::max<std::size_t>(bytes.size(), change.place + change.bytes.size()));
  bytes.replace(change.place, change.bytes.size(), change.bytes);
}

void VolatileDisk::change(std::map<std::string, Pointer>& names, const NameChange& change) {
  for (const auto& [name, node] : change) {
    if (node) {
      names[name] = node;
    } else {
      names.erase(name);
    }
  }
}

std::pair<VolatileDisk::Pointer, std::string> VolatileDisk::find(const std::string& path) const {
  const fs::path below = fs::path(path).lexically_relative(path_).lexically_normal();
  Pointer folder = root_;
  for (const fs::path& part : below.parent_path()) {
    const auto found = folder->names.find(part.string());
    if (found == folder->names.end() || !found->second->is_folder) return {};
    folder = found->second;
  }
  return {folder, below.filename().string()};
}

VolatileDisk::Pointer VolatileDisk::at(const std::string& path) const {
  if (fs::path(path).lexically_relative(path_).lexically_normal() == ".") return root_;
  const auto [folder, name] = find(path);
  CHECK(folder != nullptr);
  const auto found = folder->names.find(name);
  return found != folder->names.end() ? found->second : nullptr;
}

void VolatileDisk::set_names(const Pointer& folder, NameChange change) {
  VolatileDisk::change(folder->names, change);
  folder->name_changes.push_back(std::move(change));
}

void VolatileDisk::open(const Operation& operation) {
  Pointer node = at(operation.name);
  if (operation.place == made) {
    CHECK(node == nullptr);
    node = std::make_shared<Node>();
    const auto [folder, name] = find(operation.name);
    set_names(folder, {{name, node}});
  }
  CHECK(node != nullptr);
  if (operation.place == emptied) {
    node->current.clear();
    node->changes.push_back({.is_truncation = true});
  }
  files_[operation.file] = node;
}

void VolatileDisk::sync(const Pointer& node) {
  node->durable = node->current;
  node->changes.clear();
  node->durable_names = node->names;
  node->name_changes.clear();
  if (names_ == Names::with_file && !node->is_folder) sync_name(root_, node);
}

void VolatileDisk::sync_name(const Pointer& folder, const Pointer& node) {
  std::erase_if(folder->name_changes, [&](const NameChange& one) {
    const bool is_of_it =
        std::ranges::any_of(one, [&](const auto& entry) { return entry.second == node; });
    if (is_of_it) change(folder->durable_names, one);
    return is_of_it;
  });
  for (const auto& [name, below] : folder->names) {
    if (below->is_folder) sync_name(below, node);
  }
}

void VolatileDisk::carry_out(const Operation& operation) {
  switch (operation.kind) {
    case Kind::open:
      return open(operation);
    case Kind::write:
    case Kind::truncate: {
      Node& node = *files_.at(operation.file);
      node.changes.push_back({.place = operation.place,
                              .bytes = operation.data,
                              .is_truncation = operation.kind == Kind::truncate});
      return change(node.current, node.changes.back());
    }
    case Kind::sync:
      return sync(files_.at(operation.file));
    case Kind::make_folder: {
      const auto [folder, name] = find(operation.name);
      return set_names(folder, {{name, std::make_shared<Node>(Node{.is_folder = true})}});
    }
    case Kind::rename: {
      const auto [folder, name] = find(operation.name);
      const auto [target, new_name] = find(operation.data);
      CHECK(folder == target);
      return set_names(folder, {{name, nullptr}, {new_name, at(operation.name)}});
    }
    case Kind::link: {
      const auto [folder, name] = find(operation.data);
      return set_names(folder, {{name, at(operation.name)}});
    }
    case Kind::remove: {
      const auto [folder, name] = find(operation.name);
      return set_names(folder, {{name, nullptr}});
    }
  }
}

void VolatileDisk::leave(const std::string& target, Loss loss, std::mt19937& random,
                         const std::string& outside) const {
  leave(*root_, target, loss, random, outside);
}

void VolatileDisk::leave(const Node& folder, const std::string& target, Loss loss,
                         std::mt19937& random, const std::string& outside) {
  auto names = names_left(folder, loss, random);
  if (const auto other = folder.names.find(outside); other != folder.names.end()) {
    names[outside] = other->second;
  }
  for (const auto& [name, node] : names) {
    const Loss its_loss = name == outside ? Loss::none : loss;
    const std::string path = (fs::path(target) / name).string();
    if (node->is_folder) {
      fs::create_directory(path);
      leave(*node, path, its_loss, random, "");
    } else {
      write_file(path, bytes_left(*node, its_loss, random));
      // What the programs look at is whether others may read it.
      fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    }
  }
}

std::string VolatileDisk::bytes_left(const Node& file, Loss loss, std::mt19937& random) {
  if (loss == Loss::none) return file.current;
  std::string bytes = file.durable;
  if (loss == Loss::dropped) return bytes;
  for (const Change& one : file.changes) {
    if (one.is_truncation) {
      if (falls(random)) change(bytes, one);
      continue;
    }
    const std::uint64_t end = one.place + one.bytes.size();
    for (std::uint64_t at = one.place; at < end;) {
      const std::uint64_t next = std::min(end, (at / sector + 1) * sector);
      if (falls(random)) {
        change(bytes, {.place = at, .bytes = one.bytes.substr(at - one.place, next - at)});
      }
      at = next;
    }
  }
  return bytes;
}

std::map<std::string, VolatileDisk::Pointer> VolatileDisk::names_left(const Node& folder, Loss loss,
                                                                      std::mt19937& random) {
  if (loss == Loss::none) return folder.names;
  auto names = folder.durable_names;
  if (loss == Loss::dropped) return names;
  for (const NameChange& one : folder.name_changes) {
    if (falls(random)) change(names, one);
  }
  return names;
}

}  // namespace mailwarden::fault
