// One source of facts about people, as it is configured.
//
// What     A PeopleSource looks whether its source says something new and takes it: a directory
//          over HTTP, the newest of files that a directory's export leaves, or the newest of
//          personnel's registers. read_told() reads what somebody hands over.
// Owns     Its connections, and which file it read last.
// Threads  One at a time.
// Errors   make(): invalid. take(), read_told(): those of snapshot_source.h, each with the source's
//          name. What failed is tried again at the next call.
// Limits   Those of snapshot_source.h; files_max files that a pattern may stand for.
//
// What a file says is as old as the file says: by "generated" in a directory's pages, or by the
// moment in its name, "people-2026-11-29.csv" or "people-2026-11-29T0300Z.csv" (without a time the
// day's beginning, UTC). When it was written counts for nothing, since a copy of an old register is
// new by that. Of several files the one with the latest moment in its name counts. Put a file
// there by renaming it, so that it is never read half.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/timestamp.h"
#include "identity/people_csv.h"
#include "identity/snapshot_source.h"

namespace mailwarden::identity {

using Told = std::variant<DirectorySnapshot, Register>;

enum class Teller : std::uint8_t { personnel, google };
std::string_view to_string(Teller teller);
std::optional<Teller> parse_teller(std::string_view text);

struct PeopleSourceOptions {
  static constexpr std::size_t files_max = 100'000;

  std::string name;
  Teller teller = Teller::personnel;
  // A pattern of files; or, of google, the API's address. "" where people are told by hand alone.
  std::string place;
  std::string token_file;  // of the API
  std::string customer = "my_customer";
  bool groups = true;
  std::string ca_file;  // of the API's certificate; "" for the system's
  Duration interval = std::chrono::minutes(15);
  Duration limit = std::chrono::hours(24);  // how long its facts hold

  bool is_remote() const { return place.starts_with("http://") || place.starts_with("https://"); }
  bool operator==(const PeopleSourceOptions&) const = default;
};

class PeopleSource {
 public:
  static Result<PeopleSource> make(const PeopleSourceOptions& options);
  static Result<PeopleSource> make(const PeopleSourceOptions& options, Fetch fetch);

  // Nothing where there is nothing new since the last call that gave something.
  Result<std::optional<Told>> take(Timestamp now);

  const PeopleSourceOptions& options() const { return options_; }

 private:
  // What tells one state of a file from another.
  struct Mark {
    std::string path;
    std::uintmax_t bytes = 0;
    std::int64_t changed = 0;

    bool operator==(const Mark&) const = default;
  };

  explicit PeopleSource(const PeopleSourceOptions& options) : options_(options) {}

  Result<std::optional<Told>> take_file();

  PeopleSourceOptions options_;
  std::optional<HttpDirectory> directory_;
  std::optional<Mark> last_;
};

// A directory's pages or a register, as of `time`; without one the pages must say it.
Result<Told> read_told(Teller teller, std::string_view text, const std::string& source,
                       std::optional<Timestamp> time);

// The moment in a file's name; nothing where there is none.
std::optional<Timestamp> moment_in_name(std::string_view path);

}  // namespace mailwarden::identity
