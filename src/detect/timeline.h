// The entries of one group in the order of time, each with the sums of the window that it ends.
//
// What     Entries stand in blocks of block_max. An entry at the end is appended; one that comes
//          late is put where it belongs, and what it adds to the windows behind it is noted once
//          for each block that it covers whole. A block knows the extremes of its windows, so that
//          those in which nothing can hold are passed over.
// Owns     The entries.
// Threads  One.
// Errors   None.
// Limits   Set by its owner. At the end an entry costs O(1). A late one, a sum added to a range of
//          windows and a search among them cost O(block_max + entries / block_max).
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "base/timestamp.h"
#include "detect/keyed_hash.h"
#include "detect/measure.h"
#include "event/event.h"

namespace mailwarden::detect {

// Entries of the same time are in order of arrival.
struct Moment {
  Timestamp time;
  std::int64_t arrival = 0;

  auto operator<=>(const Moment&) const = default;
};

// When each value was seen.
using Occurrences = KeyedMap<std::set<Moment>>;

struct Entry {
  Moment at;
  EventId event;
  std::int64_t amount = 0;
  Occurrences::value_type* value = nullptr;  // where values are counted
  std::uint32_t count = 1;
  std::uint32_t rule = 0;  // which of the correlation's rules
};

class Timeline {
 public:
  static constexpr std::size_t block_max = 128;

  struct Place {
    std::size_t block = 0;
    std::size_t index = 0;

    auto operator<=>(const Place&) const = default;
  };

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }

  Place begin() const { return {0, blocks_.empty() ? 0 : blocks_.front().front}; }
  Place end() const { return {blocks_.size(), 0}; }
  Place last() const { return {blocks_.size() - 1, blocks_.back().slots.size() - 1}; }
  Place next(Place place) const;
  Place before(Place place) const;
  const Entry& operator[](Place place) const {
    return blocks_[place.block].slots[place.index].entry;
  }
  Sums sums(Place place) const {
    const Block& block = blocks_[place.block];
    return block.slots[place.index].sums + block.added;
  }

  Place first_from(Moment moment) const;
  Place first_from(Timestamp time) const { return first_from(Moment{time, -1}); }
  Place first_after(Timestamp time) const {
    return first_from(Moment{time, std::numeric_limits<std::int64_t>::max()});
  }
  // How many entries stand from the one to the other.
  std::size_t distance(Place from, Place to) const;

  // Before what stands there. Answers where it stands; other places are void.
  Place insert(Place place, const Entry& entry, const Sums& sums);
  // `kept` goes on naming the entry that it names, which is another than the first.
  void pop_front(Place& kept);
  void add(Place from, Place to, const Sums& sums);
  // The first whose window holds, or `to`; looks at no more than limits().late_windows_max that do
  // not, and answers in `given_up` whether there were more.
  Place find(Place from, Place to, const Measure& measure, bool& given_up) const;

 private:
  struct Slot {
    Entry entry;
    Sums sums{};  // without what was added to the whole block
  };
  struct Block {
    std::vector<Slot> slots;
    std::size_t front = 0;  // those before it are gone
    Sums added{};
    Sums extremes{};  // the largest first sum and the smallest second one, `added` included

    void take_extreme(const Sums& sums);
    void find_extremes();
  };

  void make_room(Place& place);

  std::vector<Block> blocks_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace mailwarden::detect
