#include "ingest/file_source.h"

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "base/text.h"

namespace mailwarden::ingest {
namespace {

bool is_sibling(const std::string& path, const std::string& of) {
  return path.size() > of.size() && path.starts_with(of) &&
         path.find('/', of.size()) == std::string::npos;
}

// The files beside `path` whose names begin with its name: where rotation puts what it held.
std::vector<std::string> siblings(const std::string& path) {
  std::vector<std::string> paths;
  std::error_code failed;
  const auto folder = std::filesystem::path(path).parent_path();
  std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    std::string other = folder.empty() ? entry->path().filename().string() : entry->path().string();
    if (is_sibling(other, path)) paths.push_back(std::move(other));
  }
  std::ranges::sort(paths);
  return paths;
}

// N of a name that rotation made by appending ".N": the greater, the older. 0 for any other name.
std::int64_t rotation_number(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? 0 : to_integer(path.substr(dot + 1)).value_or(0);
}

}  // namespace

FileSource::FileSource(FileSourceOptions options, std::vector<StreamState> committed)
    : options_(std::move(options)) {
  std::ranges::sort(committed, {}, [](const StreamState& state) {
    return std::pair(state.path, state.generation);
  });
  for (StreamState& state : committed) {
    std::int64_t& begun = generations_[state.path];
    begun = std::max(begun, state.generation);
    (state.finished ? finished_ : committed_).push_back(std::move(state));
  }
}

FileSource::~FileSource() = default;

Result<std::optional<RecordBatch>> FileSource::read(Timestamp now, bool at_end) {
  const bool looked_already = looked_ && now - *looked_ < options_.look_interval;
  if (!looked_already) look(now);
  for (int round = 0; round < 2; ++round) {
    if (!ready_.empty()) {
      RecordBatch batch = std::move(ready_.front());
      ready_.erase(ready_.begin());
      return batch;
    }
    for (const auto& file : files_) {
      if (auto batch = read_file(*file, now, at_end)) return batch;
    }
    // Everything open is read to its end: only now may something new have the turn.
    if (round == 0 && looked_already) look(now);
  }
  if (gaps_.empty()) return std::nullopt;
  return RecordBatch{.after = {}, .records = {}, .gaps = std::exchange(gaps_, {})};
}

void FileSource::look(Timestamp now) {
  looked_ = now;
  if (!committed_.empty()) resume_committed(now);
  for (const auto& file : files_) file->named = false;
  for (const std::string& path : paths_matching(options_.glob)) look_at_path(path, now);
  for (std::size_t i = 0; i < files_.size(); ++i) look_at_open_file(i, now);
  std::erase_if(files_, [](const auto& file) { return file->state.finished; });
}

void FileSource::look_at_path(const std::string& path, Timestamp now) {
  auto descriptor = open_regular(path);
  const auto status = descriptor ? status_of(descriptor->number())
                                 : Result<FileStatus>(std::unexpected(descriptor.error()));
  if (!status) {
    if (status.error().code != Code::not_found)
      tell_gap(path, "cannot be read: " + status.error().what);
    return;
  }
  if (File* file = find_open(*status); file != nullptr) {
    file->named = true;
    return;
  }
  if (status->size == 0 || is_copy(path, descriptor->number(), *status)) return;
  // A file of that name is followed already and is another one: it was rotated away.
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i]->state.path == path) look_for_missed(StreamState(files_[i]->state), now);
  }
  if (is_compressed(descriptor->number())) {
    tell_gap(path, path + " is compressed and is not read");
    return;
  }
  if (resume_finished(path, *descriptor, *status, now)) return;
  follow_new(path, *std::move(descriptor), *status, now);
}

void FileSource::look_at_open_file(std::size_t index, Timestamp now) {
  File& file = *files_[index];
  const auto status = status_of(file.descriptor.number());
  if (!status) return tell_gap(file.state.path, "cannot be read: " + status.error().what);
  const bool changed = *status != file.seen;
  file.seen = *status;
  if (changed && !holds(file.descriptor.number(), *status, file.state)) {
    StreamState old = file.state;
    auto again = open_regular("/proc/self/fd/" + std::to_string(file.descriptor.number()));
    file.state.finished = true;  // taken out of files_ by look()
    if (!continue_in_sibling(old, now)) {
      tell_gap({}, old.path + " was truncated after byte " + std::to_string(old.position) +
                       "; what was written behind it and not read yet is lost");
      finish(std::move(old));
    }
    const std::string path = files_[index]->state.path;
    if (again && status->size > 0) follow_new(path, *std::move(again), *status, now);
    return;
  }
  if (file.named || status->size > file.state.position) return;
  if (status->names == 0 || now - file.grown >= options_.rotated_idle) {
    file.state.finished = true;
    finish(file.state);
  }
}

// Reads what came and went between two looks: files that rotation put beside `old` after it began
// and that nobody has read.
void FileSource::look_for_missed(const StreamState& old, Timestamp now) {
  struct Found {
    std::string path;
    Descriptor descriptor;
    FileStatus status;
  };
  std::vector<Found> missed;
  for (const std::string& path : siblings(old.path)) {
    auto descriptor = open_regular(path);
    if (!descriptor) continue;
    const auto status = status_of(descriptor->number());
    // Without a birth time an old rotated file, which was never ours, would look the same.
    const bool newer = status && old.birth != 0 && status->birth >= old.birth && status->size > 0;
    if (!newer || find_open(*status) != nullptr || is_finished(path, *descriptor, *status) ||
        is_copy(path, descriptor->number(), *status)) {
      continue;
    }
    if (is_compressed(descriptor->number())) {
      tell_gap(path, path + " was rotated and compressed before it could be read");
      continue;
    }
    missed.push_back({path, *std::move(descriptor), *status});
  }
  // The kernel's clock of files may stand for some milliseconds, in which many can be rotated.
  std::ranges::sort(missed, {}, [](const Found& found) {
    return std::tuple(found.status.birth, found.status.modified, -rotation_number(found.path));
  });
  for (Found& found : missed) {
    follow_new(old.path, std::move(found.descriptor), found.status, now);
  }
}

void FileSource::resume_committed(Timestamp now) {
  std::vector<StreamState> rotated;
  for (StreamState& state : std::exchange(committed_, {})) {
    if (resume(state, now)) continue;
    if (continue_in_sibling(state, now)) {
      rotated.push_back(std::move(state));
      continue;
    }
    tell_gap({}, state.path + ", read up to byte " + std::to_string(state.position) +
                     ", is not there any more; what was written behind it since is lost");
    finish(std::move(state));
  }
  // Only when every known file is open can one that nobody read be told from them.
  for (const StreamState& state : rotated) look_for_missed(state, now);
}

bool FileSource::resume(const StreamState& state, Timestamp now) {
  auto descriptor = open_regular(state.path);
  if (!descriptor) return false;
  const auto status = status_of(descriptor->number());
  if (!status || !holds(descriptor->number(), *status, state)) return false;
  const bool enough_to_tell = state.position >= fingerprint_bytes;
  if (!same_object(*status, state) && !enough_to_tell) return false;
  follow(state, *std::move(descriptor), *status, now);
  return true;
}

bool FileSource::continue_in_sibling(const StreamState& state, Timestamp now) {
  for (const std::string& path : siblings(state.path)) {
    auto descriptor = open_regular(path);
    if (!descriptor) continue;
    const auto status = status_of(descriptor->number());
    if (!status || is_compressed(descriptor->number()) ||
        !holds(descriptor->number(), *status, state)) {
      continue;
    }
    follow(state, *std::move(descriptor), *status, now);
    return true;
  }
  return false;
}

void FileSource::follow(StreamState state, Descriptor descriptor, const FileStatus& status,
                        Timestamp now) {
  state.device = status.device;
  state.inode = status.inode;
  state.birth = status.birth;
  state.finished = false;
  const int number = descriptor.number();
  const std::int64_t position = state.position;
  files_.push_back(std::make_unique<File>(
      File{.state = std::move(state),
           .descriptor = std::move(descriptor),
           .reader = LineReader(number, position, options_.batch.record_bytes_max, true),
           .seen = status,
           .grown = now,
           .named = true}));
}

void FileSource::follow_new(const std::string& path, Descriptor descriptor,
                            const FileStatus& status, Timestamp now) {
  if (files_.size() >= options_.files_max) {
    return tell_gap(path, path + " is not read: more than " + std::to_string(options_.files_max) +
                              " files are followed already");
  }
  const std::int64_t generation = ++generations_[path];
  StreamState state;
  state.stream = stream_number(options_.name, path, generation);
  state.source = options_.name;
  state.path = path;
  state.generation = generation;
  follow(std::move(state), std::move(descriptor), status, now);
}

void FileSource::finish(StreamState state) {
  state.finished = true;
  finished_.push_back(state);
  ready_.push_back({.after = std::move(state), .records = {}, .gaps = std::exchange(gaps_, {})});
}

FileSource::File* FileSource::find_open(const FileStatus& status) {
  for (const auto& file : files_) {
    if (!file->state.finished && same_object(status, file->state)) return file.get();
  }
  return nullptr;
}

// Whether everything in the file has been read, or is being read, under another name.
bool FileSource::is_copy(const std::string& path, int descriptor, const FileStatus& status) const {
  return std::ranges::any_of(files_, [&](const auto& file) {
    const StreamState& state = file->state;
    const std::int64_t enough = is_sibling(path, state.path) ? 1 : fingerprint_bytes;
    if (state.path == path || state.finished || state.position < enough) return false;
    if (status.size >= state.position) return holds(descriptor, status, state);
    // A copy that is still being written: so far it begins like the file.
    const std::int64_t length = std::min(status.size, state.head.length);
    const auto copied = fingerprint(descriptor, length, length);
    const auto original = fingerprint(file->descriptor.number(), length, length);
    return length >= enough && copied && original && *copied == *original;
  });
}

// The finished stream whose bytes the file holds.
std::vector<StreamState>::iterator FileSource::find_finished(const std::string& path,
                                                             const Descriptor& descriptor,
                                                             const FileStatus& status) {
  return std::ranges::find_if(finished_, [&](const StreamState& state) {
    const bool known = same_object(status, state) || state.position >= fingerprint_bytes ||
                       (is_sibling(path, state.path) && state.position > 0);
    return known && holds(descriptor.number(), status, state);
  });
}

bool FileSource::is_finished(const std::string& path, const Descriptor& descriptor,
                             const FileStatus& status) {
  return find_finished(path, descriptor, status) != finished_.end();
}

bool FileSource::resume_finished(const std::string& path, Descriptor& descriptor,
                                 const FileStatus& status, Timestamp now) {
  const auto state = find_finished(path, descriptor, status);
  if (state == finished_.end()) return false;
  // Read to its end before; it is followed again only when there is more in it.
  if (status.size > state->position) {
    StreamState resumed = *state;
    finished_.erase(state);
    follow(std::move(resumed), std::move(descriptor), status, now);
  }
  return true;
}

void FileSource::tell_gap(const std::string& key, std::string what) {
  if (!key.empty() && !told_.insert(key).second) return;
  gaps_.push_back({.source = options_.name, .what = std::move(what)});
}

std::optional<RecordBatch> FileSource::read_file(File& file, Timestamp now, bool at_end) {
  RecordBatch batch;
  std::size_t bytes = 0;
  while (batch.records.size() < options_.batch.records_max && bytes < options_.batch.bytes_max) {
    const bool rotated = !file.named;
    auto line = file.reader.next(at_end || rotated);
    if (!line) tell_gap(file.state.path, file.state.path + " cannot be read: " + line.error().what);
    if (!line || !*line) break;
    bytes += (*line)->bytes.size();
    batch.records.push_back({.id = {file.state.stream, (*line)->position},
                             .source = options_.name,
                             .bytes = std::move((*line)->bytes),
                             .received = now,
                             .partial = (*line)->partial});
  }
  if (batch.records.empty()) return std::nullopt;
  const std::int64_t position = file.reader.position();
  const std::int64_t length = std::min(position, fingerprint_bytes);
  const auto head = fingerprint(file.descriptor.number(), length, length);
  const auto tail = fingerprint(file.descriptor.number(), position, length);
  // Truncated while it was read: the records are good, and the next look finds the fingerprints
  // wrong and begins anew.
  if (head) file.state.head = *head;
  if (tail) file.state.tail = *tail;
  file.state.position = position;
  file.grown = now;
  batch.after = file.state;
  batch.gaps = std::exchange(gaps_, {});
  return batch;
}

}  // namespace mailwarden::ingest
