// Small files that must be there whole or not at all.
//
// What     Writes beside the target, makes it durable and puts it in place by rename.
// Owns     Nothing.
// Threads  Any; two writers of one path race, and one of them wins whole.
// Errors   not_found, denied, full or io, with the path and the system's reason.
// Limits   read_whole_file(): bytes_max.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mailwarden {

// Folders that are missing above it are made.
Result<void> write_file_durably(const std::string& path, std::string_view bytes);

Result<std::string> read_whole_file(const std::string& path,
                                    std::size_t bytes_max = std::size_t{64} * 1024 * 1024);

}  // namespace mailwarden
