// How often a text is met, guessed from how often rules write it.
//
// What     Rules ask for what is seen in logs, so a text whose parts stand in many of their texts
//          (".exe", "\windows\") is common and one that stands in its own alone is rare. Counted
//          are runs of four bytes.
// Owns     A table of counts.
// Threads  Read-only once all texts are added.
// Errors   None: a guess that is wrong costs time, never a match.
// Limits   None.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mailwarden::detect {

class TextStatistics {
 public:
  TextStatistics() : counts_(std::size_t{1} << table_bits) {}

  void add(std::string_view text);
  // Between 0 and 1: the share of values in which the text is expected to stand at one of so many
  // places.
  double likelihood(std::string_view text, double places) const;
  // How often rules write these four bytes.
  std::uint32_t count(std::string_view run) const { return counts_[slot(run)]; }

 private:
  static constexpr unsigned table_bits = 16;
  static constexpr std::size_t run_bytes = 4;

  static std::size_t slot(std::string_view run);

  std::vector<std::uint32_t> counts_;
  std::uint32_t texts_ = 0;
};

}  // namespace mailwarden::detect
