// Many texts looked for in one value at once.
//
// What     Each text is added with the place where it must stand and an entry's number; probe()
//          calls back with the entries that a value has. Whole values are looked up by hash, starts
//          and ends by the bytes at their edge, what may stand anywhere is found by its rarest
//          four bytes or, where it is shorter, by its first two.
// Owns     The texts.
// Threads  Read-only once it is finished.
// Errors   None.
// Limits   None of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/edge_table.h"
#include "detect/gram_table.h"
#include "detect/keyed_hash.h"
#include "detect/short_table.h"

namespace mailwarden::detect {

class LiteralIndex {
 public:
  enum class Where : std::uint8_t { whole, start, end, anywhere };

  // Texts are folded and, but for `whole`, not empty.
  void add(Where where, std::string text, std::uint32_t entry);
  // `number` is in canonical form.
  void add_number(std::string number, std::uint32_t entry);
  void finish(const TextStatistics& statistics);

  // put(entry) for each text that stands in the value; several times where it stands several times.
  template <class Put>
  void probe(std::string_view text, std::string_view folded, Put&& put) const {
    if ((whole_lengths_ >> length_bit(folded.size()) & 1) != 0) find_whole(folded, put);
    if (!numbers_.empty()) find_number(text, put);
    if (!starts_.empty()) starts_.find(folded, put);
    if (!ends_.empty()) ends_.find(folded, put);
    if (!anywhere_.empty()) anywhere_.find(folded, put);
    if (!anywhere_short_.empty()) anywhere_short_.find(folded, put);
  }

  std::size_t bytes() const;
  std::size_t literals() const { return literals_; }

 private:
  static constexpr unsigned length_bit(std::size_t length) {
    return length < 63 ? static_cast<unsigned>(length) : 63U;
  }

  template <class Put>
  void find_whole(std::string_view folded, Put&& put) const {
    const auto found = wholes_.find(folded);
    if (found != wholes_.end()) put(found->second);
  }
  template <class Put>
  void find_number(std::string_view text, Put&& put) const {
    const auto entry = number_entry(text);
    if (entry != no_entry) put(entry);
  }
  static constexpr std::uint32_t no_entry = 0xFFFFFFFF;
  std::uint32_t number_entry(std::string_view text) const;

  KeyedMap<std::uint32_t> wholes_;
  std::uint64_t whole_lengths_ = 0;  // a bit for each length there is, the last for all longer ones
  KeyedMap<std::uint32_t> numbers_;
  EdgeTable starts_{EdgeTable::Edge::start};
  EdgeTable ends_{EdgeTable::Edge::end};
  GramTable anywhere_;
  ShortTable anywhere_short_;
  std::size_t literals_ = 0;
  // Until finish().
  std::vector<std::pair<std::string, std::uint32_t>> start_texts_;
  std::vector<std::pair<std::string, std::uint32_t>> end_texts_;
  std::vector<std::pair<std::string, std::uint32_t>> any_texts_;
};

}  // namespace mailwarden::detect
