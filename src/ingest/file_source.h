// Follows log files by what they are, not by what they are called.
//
// What     A FileSource reads every file that its glob names, each from where the committed state
//          left it. A file is known by device, inode, birth and fingerprints of its first bytes and
//          of the last bytes read, so it is read once and whole through
//          - rename rotation: the renamed file is read to its end, then the new one, and so are
//            those that came and went between two looks;
//          - copytruncate: the rest is read from the copy beside it, then the file from 0;
//          - truncation: noticed by size or by fingerprint, read from 0, with a gap entry;
//          - deletion: the open file is read to its end; a new one of that name is new;
//          - restart: a file rotated while nobody watched is found among its siblings (the files
//            of its folder whose names begin with its own) and read on.
//          A copy, a hard link or a second match of a file already known is not read again.
// Owns     The open files.
// Threads  The reader thread.
// Errors   A file that cannot be opened is told once as a gap and tried again at every look.
// Limits   FileSourceOptions::files_max; compressed files are not read, which a gap entry says.
//          Files that came and went between two looks are found only where the file system keeps
//          times of birth (ext4, xfs, btrfs, tmpfs of Linux 6). Two files under one glob that begin
//          with the same kilobyte and hold nothing more are taken for one until they differ.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/file_identity.h"
#include "ingest/line_reader.h"
#include "ingest/source.h"

namespace mailwarden::ingest {

struct FileSourceOptions {
  std::string name;
  std::string glob;  // as glob(7); a path without wildcards is one file, there or not yet
  BatchLimits batch;
  std::size_t files_max = 1000;
  // How often the folder is looked at while there is always something to read.
  Duration look_interval = std::chrono::seconds(1);
  // A rotated file is still followed until nothing has been written to it for so long.
  Duration rotated_idle = std::chrono::minutes(10);
};

class FileSource final : public Source {
 public:
  static constexpr std::int64_t fingerprint_bytes = 1024;

  // `committed` are the stored states of this source's streams.
  FileSource(FileSourceOptions options, std::vector<StreamState> committed);
  ~FileSource() override;

  const std::string& name() const override { return options_.name; }
  Result<std::optional<RecordBatch>> read(Timestamp now, bool at_end) override;

 private:
  struct File {
    StreamState state;
    Descriptor descriptor;
    LineReader reader;
    FileStatus seen;     // at the last look
    Timestamp grown;     // when bytes were last read from it
    bool named = false;  // something in the folder still bears a name that the glob matches
  };

  void look(Timestamp now);
  void look_at_path(const std::string& path, Timestamp now);
  void look_at_open_file(std::size_t index, Timestamp now);
  void look_for_missed(const StreamState& old, Timestamp now);
  void resume_committed(Timestamp now);
  bool resume(const StreamState& state, Timestamp now);
  bool continue_in_sibling(const StreamState& state, Timestamp now);
  void follow(StreamState state, Descriptor descriptor, const FileStatus& status, Timestamp now);
  void follow_new(const std::string& path, Descriptor descriptor, const FileStatus& status,
                  Timestamp now);
  void finish(StreamState state);
  File* find_open(const FileStatus& status);
  bool is_copy(const std::string& path, int descriptor, const FileStatus& status) const;
  std::vector<StreamState>::iterator find_finished(const std::string& path,
                                                   const Descriptor& descriptor,
                                                   const FileStatus& status);
  bool is_finished(const std::string& path, const Descriptor& descriptor, const FileStatus& status);
  bool resume_finished(const std::string& path, Descriptor& descriptor, const FileStatus& status,
                       Timestamp now);
  void tell_gap(const std::string& key, std::string what);
  std::optional<RecordBatch> read_file(File& file, Timestamp now, bool at_end);

  FileSourceOptions options_;
  std::vector<StreamState> committed_;  // unfinished, taken up at the first look
  std::vector<StreamState> finished_;
  std::map<std::string, std::int64_t> generations_;  // streams begun, by path
  std::vector<std::unique_ptr<File>> files_;
  std::vector<RecordBatch> ready_;  // changes of state without records
  std::vector<Gap> gaps_;
  std::set<std::string> told_;
  std::optional<Timestamp> looked_;
};

}  // namespace mailwarden::ingest
