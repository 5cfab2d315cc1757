// The table of settings, each with its name, meaning and reader.
//
// What     One entry serves the command line, the file and --help.
// Owns     Nothing.
// Threads  Pure.
// Errors   A reader answers why a text is not a value of its setting.
// Limits   None.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/config.h"

namespace mailwarden::config {

struct Setting {
  std::string_view name;
  std::string_view argument;  // what stands for the value in --help
  std::string_view meaning;
  bool list = false;  // may stand several times; the first one replaces the default
  Result<void> (*read)(Config& config, const std::string& text) = nullptr;
  // Empties the list before its first value; null where `list` is false.
  void (*clear)(Config& config) = nullptr;
  // Where the file may have a map of its parts: the name of the one that stands first in the text.
  std::string_view first = {};
};

std::span<const Setting> settings();

// Whether ADDRESS:PORT is reached from this machine alone.
bool is_loopback(std::string_view address);

}  // namespace mailwarden::config
