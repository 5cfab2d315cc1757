// Objects that are found by a text of theirs.
//
// What     A table of hashes and objects. Growing and looking for what is not there do not look at
//          the objects, which lie elsewhere in memory; whoever has several to look for asks for
//          them first, with ask() and likely(), and then waits for memory once.
// Owns     The objects, each at one address as long as it is in the index.
// Threads  One.
// Errors   None.
// Limits   An object has `key()`, its text, and `hash`, by one KeyedHash for all of an index.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <absl/container/flat_hash_set.h>

#include "detect/keyed_hash.h"

namespace mailwarden::detect {

template <class T>
class KeyedIndex {
 public:
  // Null where there is none.
  T* find(std::size_t hash, std::string_view key) const { return object_at(Sought{hash, key}); }
  // One that has this hash.
  T* likely(std::size_t hash) const { return object_at(Guess{hash}); }
  // Asks memory for what likely() reads, without waiting for it.
  void ask(std::size_t hash) const { slots_.prefetch(Guess{hash}); }

  // There must be none with its key.
  T& insert(T object) {
    auto held = std::make_unique<T>(std::move(object));
    T& stays = *held;
    slots_.insert(Slot{stays.hash, std::move(held)});
    return stays;
  }
  void erase(const T& object) {
    slots_.erase(slots_.find(Known{object.hash, &object}));
    // One that was large and is so no more gives its memory back.
    if (slots_.capacity() > slots_.size() * 8 + 64) slots_.rehash(0);
  }

  template <class See>
  void for_each(See see) const {
    for (const Slot& slot : slots_) see(*slot.object);
  }

 private:
  struct Slot {
    std::size_t hash = 0;
    std::unique_ptr<T> object;
  };
  struct Sought {
    std::size_t hash = 0;
    std::string_view key;
  };
  struct Known {
    std::size_t hash = 0;
    const T* object = nullptr;
  };
  struct Guess {
    std::size_t hash = 0;
  };
  struct Hash {
    using is_transparent = void;

    template <class Any>
    std::size_t operator()(const Any& any) const {
      return any.hash;
    }
  };
  struct Same {
    using is_transparent = void;

    bool operator()(const Slot& a, const Slot& b) const { return a.object == b.object; }
    bool operator()(const Slot& slot, const Guess& guess) const { return slot.hash == guess.hash; }
    bool operator()(const Slot& slot, const Known& known) const {
      return slot.object.get() == known.object;
    }
    bool operator()(const Slot& slot, const Sought& sought) const {
      return slot.hash == sought.hash && slot.object->key() == sought.key;
    }
  };

  template <class What>
  T* object_at(const What& what) const {
    const auto found = slots_.find(what);
    return found == slots_.end() ? nullptr : found->object.get();
  }

  absl::flat_hash_set<Slot, Hash, Same> slots_;
};

}  // namespace mailwarden::detect
