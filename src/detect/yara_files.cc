#include "detect/yara_files.h"

#include <algorithm>
#include <filesystem>

#include "base/files.h"

namespace mailwarden::detect {
namespace {

namespace fs = std::filesystem;

bool is_yara_file(const fs::path& path) {
  return path.extension() == ".yar" || path.extension() == ".yara";
}

class Folders {
 public:
  Folders(const YaraRulesOptions& options, std::vector<YaraNote>& refused)
      : options_(options), refused_(refused) {}

  Result<std::vector<YaraSource>> read(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      std::error_code failed;
      const bool folder = fs::is_directory(path, failed);
      if (auto taken = folder ? read_folder(path) : read_file(path, path); !taken) {
        return std::unexpected(taken.error());
      }
    }
    return std::move(sources_);
  }

 private:
  Result<void> read_folder(const std::string& folder) {
    std::vector<fs::path> files;
    std::error_code failed;
    fs::recursive_directory_iterator at(folder, failed);
    for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
      if (!is_yara_file(at->path())) continue;
      const auto kind = at->symlink_status(failed).type();
      if (failed) break;
      if (kind == fs::file_type::regular) {
        files.push_back(at->path());
      } else if (kind == fs::file_type::symlink) {
        refused_.push_back({at->path().string(), 0, "a symbolic link is not followed"});
      }
    }
    if (failed) return fail(code_of(failed), folder + ": " + failed.message());
    std::ranges::sort(files);
    std::ranges::sort(refused_, {}, &YaraNote::file);
    for (const fs::path& file : files) {
      auto taken = read_file(file.string(), file.lexically_relative(folder).string());
      if (!taken && sources_.size() >= options_.files_max) return taken;
      if (!taken) refused_.push_back({file.string(), 0, reason(taken.error(), file.string())});
    }
    return {};
  }

  // The sentence without the path, which a note tells by itself.
  static std::string reason(const Error& error, const std::string& path) {
    const std::string head = path + ": ";
    return error.what.starts_with(head) ? error.what.substr(head.size()) : error.what;
  }

  Result<void> read_file(const std::string& path, const std::string& name) {
    std::error_code ignored;
    if (!seen_.insert(fs::weakly_canonical(path, ignored).string()).second) return {};
    if (sources_.size() == options_.files_max) {
      return fail(Code::full, path + ": more than " + std::to_string(options_.files_max) +
                                  " files of YARA rules");
    }
    auto text = read_whole_file(path, options_.file_bytes_max);
    if (!text) return std::unexpected(text.error());
    // Two folders may have files of the same name, and a namespace is one file's.
    std::string space = names_.insert(name).second ? name : path;
    sources_.push_back({path, std::move(space), *std::move(text), {}});
    sources_.back().places = find_rules(sources_.back().text);
    return {};
  }

  static Code code_of(const std::error_code& failed) {
    if (failed == std::errc::no_such_file_or_directory) return Code::not_found;
    return failed == std::errc::permission_denied ? Code::denied : Code::io;
  }

  const YaraRulesOptions& options_;
  std::vector<YaraNote>& refused_;
  std::vector<YaraSource> sources_;
  std::set<std::string> seen_;
  std::set<std::string> names_;
};

}  // namespace

Result<std::vector<YaraSource>> read_yara_files(const std::vector<std::string>& paths,
                                                const YaraRulesOptions& options,
                                                std::vector<YaraNote>& refused) {
  return Folders(options, refused).read(paths);
}

}  // namespace mailwarden::detect
