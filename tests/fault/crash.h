// A program's run, recorded once and then crashed at every place.
//
// What     A Recording runs a program with the recorder loaded. crashes() are the places: before
//          every call that makes something durable, and at the end, each with every kind of loss.
//          each() goes through them, and leave() writes what the disk holds then.
//          What a program says to others it says before the next operation, so crashing a recording
//          shows what crashing the program would, and takes no run of it.
// Limits   Of many places a seeded sample is taken; MAILWARDEN_EDGES=all takes every one.
#pragma once

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>

#include "tests/fault/volatile_disk.h"
#include "tests/process.h"

namespace mailwarden::fault {

// A sanitizer's runtime must be loaded before everything else, and so before the recorder.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_recordable = false;
#else
inline constexpr bool is_recordable = true;
#endif

struct Crash {
  std::size_t operations = 0;       // done before it
  std::uint64_t journal_bytes = 0;  // of them
  Loss loss = Loss::none;
  std::uint32_t seed = 0;
  bool is_end = false;  // the program had ended
};

inline std::string to_text(const Crash& crash) {
  constexpr const char* losses[] = {"nothing lost", "unsynced dropped", "unsynced torn"};
  return "crash after " + std::to_string(crash.operations) + " operations, " +
         losses[static_cast<int>(crash.loss)] + ", seed " + std::to_string(crash.seed);
}

// Files below a folder with their bytes, but for SQLite's shared memory.
inline std::map<std::string, std::string> files_in(const std::string& folder) {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    if (!entry.is_regular_file() || name.ends_with("-shm")) continue;
    files[name] = read_file(entry.path().string());
  }
  return files;
}

class Recording {
 public:
  // What the folder holds now is durable.
  explicit Recording(const std::string& folder) : folder_(std::filesystem::canonical(folder)) {
    std::filesystem::copy(folder_, before_.path("disk"), std::filesystem::copy_options::recursive);
  }

  // `arguments` begin with the program.
  const Ran& run(std::vector<std::string> arguments) {
    begin(std::move(arguments));
    return end();
  }
  // The same in two parts, for a program that is spoken to.
  Process& begin(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"/usr/bin/env", "LD_PRELOAD=" + program_folder() + "/disk_recorder.so",
                      "MAILWARDEN_DISK_FOLDER=" + folder_, "MAILWARDEN_DISK_JOURNAL=" + journal()});
    return process_.emplace(std::move(arguments), before_.path("output"));
  }
  const Ran& end() {
    ran_.code = process_->wait();
    ran_.output = read_file(before_.path("output"));
    operations_ = read_journal(journal());
    return ran_;
  }

  // While the program runs too: what it has done so far.
  std::uint64_t journal_bytes() const {
    std::error_code absent;
    const auto bytes = std::filesystem::file_size(journal(), absent);
    return absent ? 0 : bytes;
  }
  const std::vector<Operation>& operations() const { return operations_; }

  // Files that the recorded operations do not lead to: what went past the recorder.
  std::vector<std::string> unseen() const {
    VolatileDisk disk(folder_, before_.path("disk"));
    for (const Operation& operation : operations_) disk.carry_out(operation);
    TemporaryFolder image;
    std::mt19937 random;
    disk.leave(image.path(), Loss::none, random);
    const auto told = files_in(image.path());
    const auto real = files_in(folder_);
    std::vector<std::string> names;
    for (const auto& [name, bytes] : real) {
      if (!told.contains(name) || told.at(name) != bytes) names.push_back(name);
    }
    for (const auto& [name, bytes] : told) {
      if (!real.contains(name)) names.push_back(name);
    }
    return names;
  }

  std::vector<Crash> crashes(std::size_t sample) const {
    std::mt19937 random(20261129);
    std::vector<Crash> all;
    std::size_t last = 0;
    for (std::size_t i = 0; i <= operations_.size(); ++i) {
      const bool is_end = i == operations_.size();
      if (!is_end && operations_[i].kind != Kind::sync) continue;
      for (const Loss loss : {Loss::none, Loss::dropped, Loss::torn}) {
        // What is not durable at a place is the most just before the next sync; where something
        // is left of it, any place between two of them is as good.
        const bool anywhere = loss != Loss::dropped && !is_end && i > last;
        const std::size_t at = anywhere ? last + 1 + random() % (i - last) : i;
        all.push_back({.operations = at,
                       .journal_bytes = at > 0 ? operations_[at - 1].end : 0,
                       .loss = loss,
                       .seed = static_cast<std::uint32_t>(random()),
                       .is_end = is_end});
      }
      last = i;
    }
    const std::size_t places = all.size();
    const char* const told = std::getenv("MAILWARDEN_EDGES");
    const bool takes_all = told != nullptr && std::string_view(told) == "all";
    // Those at the end stay.
    if (!takes_all && places > sample) {
      std::shuffle(all.begin(), all.end() - 3, random);
      all.erase(all.begin(),
                all.end() - static_cast<std::ptrdiff_t>(std::max<std::size_t>(sample, 3)));
    }
    std::ranges::stable_sort(all, {}, &Crash::operations);
    std::cout << all.size() << " of " << places << " crashes\n";
    return all;
  }

  // Calls `look` with each crash and the disk as it is then.
  void each(const std::vector<Crash>& crashes, Names names,
            const std::function<void(const Crash&, const VolatileDisk&)>& look) const {
    VolatileDisk disk(folder_, before_.path("disk"), names);
    std::size_t done = 0;
    for (const Crash& crash : crashes) {
      for (; done < crash.operations; ++done) disk.carry_out(operations_[done]);
      SCOPED_TRACE(to_text(crash));
      look(crash, disk);
      if (testing::Test::HasFatalFailure()) return;
    }
  }

 private:
  std::string journal() const { return before_.path("journal"); }

  std::string folder_;
  TemporaryFolder before_;
  std::optional<Process> process_;
  Ran ran_;
  std::vector<Operation> operations_;
};

// What the crash leaves, as the contents of an empty folder.
inline void leave(const VolatileDisk& disk, const Crash& crash, const std::string& folder) {
  std::mt19937 random(crash.seed);
  disk.leave(folder, crash.loss, random, "outside");
}

}  // namespace mailwarden::fault
