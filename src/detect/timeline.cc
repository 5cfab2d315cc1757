#include "detect/timeline.h"

#include <algorithm>

namespace mailwarden::detect {
namespace {

constexpr std::size_t small_block = 8;  // gives no memory back

}  // namespace

void Timeline::Block::take_extreme(const Sums& sums) {
  extremes = {std::max(extremes[0], sums[0]), std::min(extremes[1], sums[1])};
}

void Timeline::Block::find_extremes() {
  gone = 0;
  extremes = slots.front().sums + added;
  for (const Slot& slot : slots) take_extreme(slot.sums + added);
}

// Room for one more. Most groups are small, and many, so that a block grows by a quarter.
void Timeline::Block::reserve() {
  if (slots.full()) slots.set_capacity(slots.size() + slots.size() / 4 + 2);
}

Timeline::Place Timeline::next(Place place) const {
  if (++place.index < blocks_[place.block].slots.size()) return place;
  return {place.block + 1, 0};
}

Timeline::Place Timeline::before(Place place) const {
  if (place.index > 0) return {place.block, place.index - 1};
  return {place.block - 1, blocks_[place.block - 1].slots.size() - 1};
}

Timeline::Place Timeline::first_from(Moment moment) const {
  const auto block = std::ranges::partition_point(
      blocks_, [&](const Block& one) { return one.slots.back().entry.at < moment; });
  if (block == blocks_.end()) return end();
  const auto slot = std::partition_point(block->slots.begin(), block->slots.end(),
                                         [&](const Slot& one) { return one.entry.at < moment; });
  return {static_cast<std::size_t>(block - blocks_.begin()),
          static_cast<std::size_t>(slot - block->slots.begin())};
}

std::size_t Timeline::distance(Place from, Place to) const {
  if (from >= to) return 0;
  if (from.block == to.block) return to.index - from.index;
  std::size_t count = blocks_[from.block].slots.size() - from.index;
  for (std::size_t i = from.block + 1; i < to.block; ++i) {
    count += blocks_[i].slots.size();
  }
  return count + to.index;
}

// Splits the block where it is full.
void Timeline::make_room(Place& place) {
  Block& block = blocks_[place.block];
  if (block.slots.size() < block_max) return;
  const auto half = block.slots.begin() + block_max / 2;
  Block behind{.slots = {half, block.slots.end()}, .added = block.added};
  block.slots.erase(half, block.slots.end());
  block.find_extremes();
  behind.find_extremes();
  bytes_ += bytes_of(behind);
  blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(place.block) + 1, std::move(behind));
  if (place.index > block_max / 2) place = {place.block + 1, place.index - block_max / 2};
}

Timeline::Place Timeline::insert(Place place, const Entry& entry, const Sums& sums) {
  ++size_;
  if (place == end()) {
    if (blocks_.empty() || blocks_.back().slots.size() == block_max) {
      blocks_.emplace_back().extremes = sums;
      bytes_ += bytes_of(blocks_.back());
    }
    place = {blocks_.size() - 1, blocks_.back().slots.size()};
  } else {
    make_room(place);
  }
  Block& block = blocks_[place.block];
  bytes_ -= bytes_of(block);
  block.reserve();
  block.slots.insert(block.slots.begin() + static_cast<std::ptrdiff_t>(place.index),
                     {entry, sums - block.added});
  block.take_extreme(sums);
  bytes_ += bytes_of(block);
  return place;
}

void Timeline::pop_front(Place& kept) {
  --size_;
  Block& block = blocks_.front();
  bytes_ -= bytes_of(block);
  block.slots.pop_front();
  if (block.slots.empty()) {
    blocks_.erase(blocks_.begin());
    --kept.block;
    return;
  }
  if (kept.block == 0) --kept.index;
  // What has left is no extreme any more; that is seen to when it was half of the block.
  if (++block.gone > block.slots.size()) block.find_extremes();
  const std::size_t capacity = block.slots.capacity();
  if (capacity > small_block && block.slots.size() * 2 < capacity) {
    block.slots.set_capacity(block.slots.size());
  }
  bytes_ += bytes_of(block);
}

void Timeline::add(Place from, Place to, const Sums& sums) {
  for (; from < to; from = {from.block + 1, 0}) {
    Block& block = blocks_[from.block];
    const std::size_t end = from.block == to.block ? to.index : block.slots.size();
    if (from.index == 0 && end == block.slots.size()) {
      block.added = block.added + sums;
      block.extremes = block.extremes + sums;
      continue;
    }
    for (std::size_t i = from.index; i < end; ++i) {
      block.slots[i].sums = block.slots[i].sums + sums;
    }
    block.find_extremes();
  }
}

Timeline::Place Timeline::find(Place from, Place to, const Measure& measure, bool& given_up) const {
  std::size_t looked = 0;
  for (; from < to; from = {from.block + 1, 0}) {
    const Block& block = blocks_[from.block];
    if (!measure.holds(block.extremes)) continue;
    const std::size_t end = from.block == to.block ? to.index : block.slots.size();
    for (std::size_t i = from.index; i < end; ++i) {
      if (measure.holds(block.slots[i].sums + block.added)) return {from.block, i};
      if (++looked < measure.limits().late_windows_max) continue;
      given_up = true;
      return to;
    }
  }
  return to;
}

}  // namespace mailwarden::detect
