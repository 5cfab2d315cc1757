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
#include <utility>

#include <boost/circular_buffer.hpp>
#include <boost/container/small_vector.hpp>

#include "base/timestamp.h"
#include "detect/measure.h"
#include "detect/occurrences.h"
#include "event/event.h"

namespace mailwarden::detect {

struct Entry {
  Moment at;
  EventId event;
  std::int64_t amount = 0;
  Occurrences::Value* value = nullptr;  // where values are counted
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

  Place begin() const { return {0, 0}; }
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

  // Asks memory for the first entry, this one, and where the next is put, without waiting for them.
  void bring_near(Place place) const {
    if (empty()) return;
    const auto ask = [](const void* slot) { __builtin_prefetch(slot); };
    ask(&blocks_.front().slots.front());
    if (place < end()) ask(&blocks_[place.block].slots[place.index]);
    const Slot* const last = &blocks_.back().slots.back();
    ask(&last->sums);
    ask(last + 1);
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
    boost::circular_buffer<Slot> slots;
    std::size_t gone = 0;  // at the front, since the extremes were found
    Sums added{};
    Sums extremes{};  // at least the largest first sum, at most the smallest second; with `added`

    void reserve();
    void take_extreme(const Sums& sums);
    void find_extremes();
  };

  static std::size_t bytes_of(const Block& block) {
    return sizeof(Block) + block.slots.capacity() * sizeof(Slot);
  }
  void make_room(Place& place);

  // Most groups have one block, and it costs no look elsewhere in memory.
  boost::container::small_vector<Block, 1> blocks_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace mailwarden::detect
