#include "identity/people_source.h"

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "base/text.h"

namespace mailwarden::identity {
namespace {

namespace fs = std::filesystem;

// "2026-11-29", "2026-11-29T0300Z" or "2026-11-29T030000Z" at the beginning of the text.
std::optional<Timestamp> moment_at(std::string_view text) {
  constexpr std::size_t date_bytes = 10;
  if (text.size() < date_bytes) return std::nullopt;
  const std::string date(text.substr(0, date_bytes));
  const std::string_view rest = text.substr(date_bytes);
  for (const std::size_t digits : {6UZ, 4UZ}) {
    if (rest.size() < digits + 2 || rest[0] != 'T' || rest[digits + 1] != 'Z') continue;
    const std::string time = std::string(rest.substr(1, digits)) + "00";
    const auto moment = parse_rfc3339(date + "T" + time.substr(0, 2) + ":" + time.substr(2, 2) +
                                      ":" + time.substr(4, 2) + "Z");
    if (moment) return *moment;
  }
  const auto midnight = parse_rfc3339(date + "T00:00:00Z");
  return midnight ? std::optional(*midnight) : std::nullopt;
}

// The file that counts, and its moment where its name has one.
Result<std::pair<std::string, std::optional<Timestamp>>> newest(const std::string& pattern) {
  const auto paths = paths_matching(pattern);
  if (paths.empty()) return fail(Code::not_found, "there is no file " + pattern);
  if (paths.size() > PeopleSourceOptions::files_max) {
    return fail(Code::full, pattern + " stands for more than " +
                                std::to_string(PeopleSourceOptions::files_max) + " files");
  }
  std::pair<std::string, std::optional<Timestamp>> best{paths.front(), std::nullopt};
  for (const std::string& path : paths) {
    const auto moment = moment_in_name(path);
    if (moment && (!best.second || *best.second <= *moment)) best = {path, moment};
  }
  if (!best.second && paths.size() > 1) {
    return fail(Code::invalid, pattern +
                                   " stands for several files, and none has a date in its "
                                   "name, such as people-2026-11-29.csv");
  }
  return best;
}

}  // namespace

std::string_view to_string(Teller teller) {
  return teller == Teller::google ? "google" : "personnel";
}

std::optional<Teller> parse_teller(std::string_view text) {
  for (const Teller teller : {Teller::personnel, Teller::google}) {
    if (text == to_string(teller)) return teller;
  }
  return std::nullopt;
}

std::optional<Timestamp> moment_in_name(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  std::optional<Timestamp> found;
  bool behind_digit = false;
  for (std::size_t at = 0; at < name.size() && !found; ++at) {
    if (!behind_digit) found = moment_at(name.substr(at));
    behind_digit = name[at] >= '0' && name[at] <= '9';
  }
  return found;
}

Result<Told> read_told(Teller teller, std::string_view text, const std::string& source,
                       std::optional<Timestamp> time) {
  if (teller == Teller::google) {
    auto snapshot = read_directory(text, source, time);
    if (!snapshot) return std::unexpected(snapshot.error());
    return Told(*std::move(snapshot));
  }
  if (!time) return fail(Code::invalid, "it is not said as of when the register is true");
  auto people = read_people(text, {.source = source, .time = *time});
  if (!people) return std::unexpected(people.error());
  return Told(*std::move(people));
}

Result<PeopleSource> PeopleSource::make(const PeopleSourceOptions& options) {
  return make(options, http_fetch({.ca_file = options.ca_file}));
}

Result<PeopleSource> PeopleSource::make(const PeopleSourceOptions& options, Fetch fetch) {
  PeopleSource source(options);
  if (!options.is_remote()) return source;
  if (options.teller != Teller::google) {
    return fail(Code::invalid, "'" + options.name + "': a register is a file and no address");
  }
  auto directory = HttpDirectory::make({.source = options.name,
                                        .address = options.place,
                                        .customer = options.customer,
                                        .token_file = options.token_file,
                                        .groups = options.groups},
                                       std::move(fetch));
  if (!directory) return fail("'" + options.name + "'", directory.error());
  source.directory_.emplace(*std::move(directory));
  return source;
}

Result<std::optional<Told>> PeopleSource::take(Timestamp now) {
  if (options_.place.empty()) return std::optional<Told>();
  if (!directory_) return take_file();
  auto snapshot = directory_->take(now);
  if (!snapshot) return fail("'" + options_.name + "'", snapshot.error());
  return std::optional<Told>(*std::move(snapshot));
}

Result<std::optional<Told>> PeopleSource::take_file() {
  const auto file = newest(options_.place);
  if (!file) return fail("'" + options_.name + "'", file.error());
  std::error_code failed;
  const auto changed = fs::last_write_time(file->first, failed);
  const Mark mark{.path = file->first,
                  .bytes = fs::file_size(file->first, failed),
                  .changed = changed.time_since_epoch().count()};
  if (!failed && last_ == mark) return std::optional<Told>();
  const auto text = read_regular_file(file->first, DirectoryLimits().bytes_max);
  if (!text) return fail("'" + options_.name + "'", text.error());
  auto told = read_told(options_.teller, *text, options_.name, file->second);
  if (!told) return fail("'" + options_.name + "', " + file->first, told.error());
  last_ = mark;
  return std::optional<Told>(*std::move(told));
}

}  // namespace mailwarden::identity
