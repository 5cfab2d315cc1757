#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/text.h"

namespace mailwarden {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

struct Log::Sink {
  spdlog::logger logger{"mailwarden", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

Log::Log(LogLevel level) : sink_(std::make_unique<Sink>()) {
  sink_->logger.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  sink_->logger.set_level(to_spdlog(level));
  sink_->logger.flush_on(spdlog::level::info);
}

Log::~Log() = default;

// The views are passed as arguments, never as the format, so braces in them stay what they are.
void Log::debug(std::string_view line) {
  sink_->logger.debug("{}", line);
}
void Log::info(std::string_view line) {
  sink_->logger.info("{}", line);
}
void Log::warning(std::string_view line) {
  sink_->logger.warn("{}", line);
}
void Log::error(std::string_view line) {
  sink_->logger.error("{}", line);
}

std::string Log::quote(std::string_view from_outside) {
  std::string out = "'";
  out += printable(from_outside.substr(0, quoted_max));
  if (from_outside.size() > quoted_max) out += "…";
  return out + "'";
}

}  // namespace mailwarden
