// Common to the tests of decoders: one line in, one event out.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "event/event_json.h"
#include "ingest/decode/decoder.h"
#include "json/value.h"
#include "tests/temporary.h"

namespace mailwarden::ingest {

inline constexpr Timestamp noon{1'795'521'600'000'000};  // 2026-11-24T12:00:00Z

inline Timestamp at(std::string_view text) {
  return parse_rfc3339(text).value();
}

inline DecoderSet set_of(const DecodeOptions& options) {
  return DecoderSet::make({}, options).value();
}

inline RawRecord record_of(std::string_view line, Timestamp received = noon) {
  return {.id = {.stream = 7, .position = 42},
          .source = "test",
          .bytes = std::string(line),
          .received = received,
          .partial = false};
}

inline Event decode_line(std::string_view line, const DecodeOptions& options = {},
                         Timestamp received = noon) {
  return decode(record_of(line, received), set_of(options));
}

inline Event decode_as(std::string_view decoder, std::string_view line) {
  return decode_line(line, {.decoder = std::string(decoder)});
}

inline std::string field(const Event& event, std::string_view name) {
  return std::string(event.fields.text(name));
}

inline std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The lines of a gzip file, "" where it is absent.
inline std::vector<std::string> lines_of_gzip(const std::string& path) {
  std::vector<std::string> lines;
  std::FILE* const pipe = ::popen(("zcat '" + path + "' 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return lines;
  std::string line;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    lines.push_back(std::move(line));
    line.clear();
  }
  ::pclose(pipe);
  return lines;
}

inline std::string golden_folder() {
  return source_folder() + "/tests/ingest_decode/golden";
}

}  // namespace mailwarden::ingest
