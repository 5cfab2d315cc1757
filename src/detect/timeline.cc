#include "detect/timeline.h"

#include <algorithm>

namespace mailwarden::detect {

void Timeline::Block::take_extreme(const Sums& sums) {
  extremes = {std::max(extremes[0], sums[0]), std::min(extremes[1], sums[1])};
}

void Timeline::Block::find_extremes() {
  extremes = slots[front].sums + added;
  for (std::size_t i = front + 1; i < slots.size(); ++i) take_extreme(slots[i].sums + added);
}

Timeline::Place Timeline::next(Place place) const {
  if (++place.index < blocks_[place.block].slots.size()) return place;
  const std::size_t block = place.block + 1;
  return {block, block == blocks_.size() ? 0 : blocks_[block].front};
}

Timeline::Place Timeline::before(Place place) const {
  if (place.block < blocks_.size() && place.index > blocks_[place.block].front) {
    return {place.block, place.index - 1};
  }
  return {place.block - 1, blocks_[place.block - 1].slots.size() - 1};
}

Timeline::Place Timeline::first_from(Moment moment) const {
  const auto block = std::ranges::partition_point(
      blocks_, [&](const Block& one) { return one.slots.back().entry.at < moment; });
  if (block == blocks_.end()) return end();
  const auto slot = std::partition_point(
      block->slots.begin() + static_cast<std::ptrdiff_t>(block->front), block->slots.end(),
      [&](const Slot& one) { return one.entry.at < moment; });
  return {static_cast<std::size_t>(block - blocks_.begin()),
          static_cast<std::size_t>(slot - block->slots.begin())};
}

std::size_t Timeline::distance(Place from, Place to) const {
  if (from >= to) return 0;
  if (from.block == to.block) return to.index - from.index;
  std::size_t count = blocks_[from.block].slots.size() - from.index;
  for (std::size_t i = from.block + 1; i < to.block; ++i) {
    count += blocks_[i].slots.size() - blocks_[i].front;
  }
  return to.block == blocks_.size() ? count : count + to.index - blocks_[to.block].front;
}

// Splits the block where it is full.
void Timeline::make_room(Place& place) {
  Block& block = blocks_[place.block];
  if (block.slots.size() < block_max) return;
  if (block.front > 0) {
    block.slots.erase(block.slots.begin(),
                      block.slots.begin() + static_cast<std::ptrdiff_t>(block.front));
    place.index -= std::exchange(block.front, 0);
    return;
  }
  const auto half = block.slots.begin() + block_max / 2;
  Block behind{.slots = {half, block.slots.end()}, .added = block.added};
  block.slots.erase(half, block.slots.end());
  block.find_extremes();
  behind.find_extremes();
  bytes_ += sizeof(Block) + behind.slots.capacity() * sizeof(Slot);
  blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(place.block) + 1, std::move(behind));
  if (place.index > block_max / 2) place = {place.block + 1, place.index - block_max / 2};
}

Timeline::Place Timeline::insert(Place place, const Entry& entry, const Sums& sums) {
  ++size_;
  if (place == end() && (blocks_.empty() || blocks_.back().slots.size() == block_max)) {
    blocks_.push_back({.slots = {{entry, sums}}, .extremes = sums});
    bytes_ += sizeof(Block) + sizeof(Slot);
    return last();
  }
  if (place == end()) {
    place = {blocks_.size() - 1, blocks_.back().slots.size()};
  } else {
    make_room(place);
  }
  Block& block = blocks_[place.block];
  const std::size_t capacity = block.slots.capacity();
  block.slots.insert(block.slots.begin() + static_cast<std::ptrdiff_t>(place.index),
                     {entry, sums - block.added});
  block.take_extreme(sums);
  bytes_ += (block.slots.capacity() - capacity) * sizeof(Slot);
  return place;
}

void Timeline::pop_front(Place& kept) {
  --size_;
  Block& block = blocks_.front();
  if (++block.front == block.slots.size()) {
    bytes_ -= sizeof(Block) + block.slots.capacity() * sizeof(Slot);
    blocks_.erase(blocks_.begin());
    --kept.block;
    return;
  }
  // What is gone is let go of when it is half of the block, so that small groups stay small.
  if (block.front * 2 < block.slots.size()) return;
  block.slots.erase(block.slots.begin(),
                    block.slots.begin() + static_cast<std::ptrdiff_t>(block.front));
  if (kept.block == 0) kept.index -= block.front;
  block.front = 0;
  block.find_extremes();
}

void Timeline::add(Place from, Place to, const Sums& sums) {
  for (; from < to; from = {from.block + 1, 0}) {
    Block& block = blocks_[from.block];
    const std::size_t begin = std::max(from.index, block.front);
    const std::size_t end = from.block == to.block ? to.index : block.slots.size();
    if (begin == block.front && end == block.slots.size()) {
      block.added = block.added + sums;
      block.extremes = block.extremes + sums;
      continue;
    }
    for (std::size_t i = begin; i < end; ++i) block.slots[i].sums = block.slots[i].sums + sums;
    block.find_extremes();
  }
}

Timeline::Place Timeline::find(Place from, Place to, const Measure& measure, bool& given_up) const {
  std::size_t looked = 0;
  for (; from < to; from = {from.block + 1, 0}) {
    const Block& block = blocks_[from.block];
    if (!measure.holds(block.extremes)) continue;
    const std::size_t end = from.block == to.block ? to.index : block.slots.size();
    for (std::size_t i = std::max(from.index, block.front); i < end; ++i) {
      if (measure.holds(block.slots[i].sums + block.added)) return {from.block, i};
      if (++looked < measure.limits().late_windows_max) continue;
      given_up = true;
      return to;
    }
  }
  return to;
}

}  // namespace mailwarden::detect
