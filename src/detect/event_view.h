// An event as rules see it: its values by the numbers of their fields.
//
// What     An EventView is filled once an event, then asked by field. It points into the event; use
//          one again and again, since it keeps its memory.
// Owns     Its lists; not the texts.
// Threads  One.
// Errors   None.
// Limits   None of its own.
// Source   docs/sigma.md, "Events".
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "detect/attribute.h"
#include "detect/field_names.h"
#include "event/event.h"

namespace mailwarden::detect {

// In lower case; an empty part is not stated.
struct LogsourceView {
  std::string_view product;
  std::string_view category;
  std::string_view service;
};

class EventView {
 public:
  struct Value {
    std::string_view text;
    FieldId field = no_field;
    FieldKind kind = FieldKind::string;
    std::uint32_t next = 0;  // the next value of the field, or 0; one more than its place
  };

  EventView() = default;
  EventView(const EventView&) = delete;  // it points into itself
  EventView& operator=(const EventView&) = delete;

  // `names` numbers the fields; the view must not outlive it.
  void begin(const FieldNames& names);
  void add(std::string_view name, std::string_view text, FieldKind kind) {
    add(names_->find(name), text, kind);
  }
  void add(FieldId field, std::string_view text, FieldKind kind);
  void set_raw(std::string_view raw) { raw_ = raw; }
  // In any case; not out of this view.
  void set_logsource(std::string_view product, std::string_view category, std::string_view service);
  // Fields, normal form, raw line and log source of the event, which must stay as it is.
  void fill(const FieldNames& names, const Event& event);

  const std::vector<Value>& values() const { return values_; }
  // Keywords are searched in so many of them; those behind are of the normal form.
  std::size_t searched() const { return searched_; }
  std::string_view raw() const { return raw_; }
  const LogsourceView& logsource() const { return logsource_; }

  bool has(FieldId field) const { return first_of(field) != 0; }
  bool has_one(FieldId field) const {
    const std::uint32_t first = first_of(field);
    return first != 0 && values_[first - 1].next == 0;
  }
  // Calls each(place, value) for every value of the field until it answers true; whether it did.
  template <class Each>
  bool any_of(FieldId field, Each each) const {
    for (std::uint32_t at = first_of(field); at != 0; at = values_[at - 1].next) {
      if (each(at - 1, values_[at - 1])) return true;
    }
    return false;
  }

 private:
  struct Chain {
    std::uint32_t turn = 0;  // of which begin() it is
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };

  std::uint32_t first_of(FieldId field) const {
    return field < chains_.size() && chains_[field].turn == turn_ ? chains_[field].first : 0;
  }

  const FieldNames* names_ = nullptr;
  std::vector<Value> values_;
  std::size_t searched_ = 0;
  std::vector<Chain> chains_;  // by field
  std::uint32_t turn_ = 0;
  std::string_view raw_;
  LogsourceView logsource_;
  std::string lowered_;
  std::array<AttributeBuffer, 11> attributes_{};
};

}  // namespace mailwarden::detect
