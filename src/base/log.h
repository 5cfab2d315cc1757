// The daemon's own log, for its operators.
//
// What     One line a happening, on standard error, which systemd's journal keeps. A line's words
//          are the caller's; a text that came from outside goes through quote() first, so that
//          nobody forges a line by writing a line feed into a user name.
// Owns     The logger.
// Threads  Any.
// Errors   None: a log that cannot be written is not a reason to stop.
// Limits   quote() cuts at quoted_max bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace mailwarden {

enum class LogLevel { debug, info, warning, error };

class Log {
 public:
  static constexpr std::size_t quoted_max = 256;

  // `level` and what is graver are written.
  explicit Log(LogLevel level = LogLevel::info);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void debug(std::string_view line);
  void info(std::string_view line);
  void warning(std::string_view line);
  void error(std::string_view line);

  // In single quotes, control bytes and invalid UTF-8 as \xNN.
  static std::string quote(std::string_view from_outside);

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace mailwarden
