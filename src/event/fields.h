// The named values of one event.
//
// What     A flat run of name and value in one piece of memory: cheap to fill, to copy and to walk.
//          A name that stands several times is a list (an array in JSON, a repeated key in a log).
//          Names are the source's own in Sigma's taxonomy (`src_ip`, `c-uri`,
//          `protoPayload.methodName`).
// Owns     Names and values.
// Threads  Values.
// Errors   None.
// Limits   Values are as long as their record; what is longer than 4 GiB in all is a bug of the
//          caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailwarden {

enum class FieldKind : std::uint8_t { string, number, boolean, null };

struct Field {
  std::string_view name;   // good as long as the Fields are not changed
  std::string_view value;  // numbers and truths as text, null as ""
  FieldKind kind = FieldKind::string;
};

class Fields {
 public:
  void add(std::string_view name, std::string_view value, FieldKind kind = FieldKind::string);
  void add(std::string_view name, std::int64_t number);
  // Room for names and values of that many bytes, and for the usual number of fields.
  void reserve(std::size_t bytes) {
    text_.reserve(bytes);
    slots_.reserve(16);
  }

  std::size_t size() const { return slots_.size(); }
  bool empty() const { return slots_.empty(); }
  Field operator[](std::size_t index) const {
    const Slot& slot = slots_[index];
    const char* const name = text_.data() + slot.name;
    return {.name = {name, slot.name_bytes},
            .value = {name + slot.name_bytes, slot.value_bytes},
            .kind = slot.kind};
  }
  // The first of that name.
  std::optional<Field> find(std::string_view name) const;
  // The first value of that name, or "".
  std::string_view text(std::string_view name) const;

  bool operator==(const Fields& other) const;

 private:
  struct Slot {
    std::uint32_t name = 0;
    std::uint32_t name_bytes = 0;
    std::uint32_t value_bytes = 0;  // the value follows its name
    FieldKind kind = FieldKind::string;
  };

  std::string text_;
  std::vector<Slot> slots_;
};

}  // namespace mailwarden
