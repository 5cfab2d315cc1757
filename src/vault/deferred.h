// A value that waits to be sealed for its subjects, together with their names.
//
// What     The bytes that are sealed for the recipient's share: the number of subjects (1), each
//          subject's name behind its length (4, big-endian), then the value.
// Owns     Its texts.
// Threads  Pure.
// Errors   corrupt: not such bytes.
// Limits   Sealer::keys_max subjects.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mailwarden::vault {

struct Deferred {
  std::vector<std::string> subjects;
  std::string value;
};

std::string to_bytes(std::span<const std::string_view> subjects, std::string_view value);
Result<Deferred> read_deferred(std::string_view bytes);

}  // namespace mailwarden::vault
