// A JSON text, read where it stands.
//
// What     For requests of which a few texts are wanted and a tree of Values would cost more than
//          the answer: a View finds members and gives texts, and makes Values of what is asked for.
//          What parse() refuses is refused, with its sentence, wherever it stands.
// Owns     A Document what was read last; a View nothing, it is good until the next read().
// Threads  One a Document.
// Errors   read(): those of parse().
// Limits   ParseOptions.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "json/value.h"

namespace mailwarden::json {

class View {
 public:
  // Of null.
  View();
  explicit View(const Value& value) : value_(&value) {}

  bool is_null() const;
  bool is_object() const;
  // The member of that name, or null where this is no object or has none.
  View operator[](std::string_view name) const;
  std::optional<std::string_view> text() const;
  Value to_value() const;

 private:
  friend class Document;

  const Value* value_;                                               // null where it is a place
  alignas(void*) std::array<std::byte, 2 * sizeof(void*)> place_{};  // simdjson's
};

class Document {
 public:
  Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document();

  Result<View> read(std::string_view text, const ParseOptions& options = {});

 private:
  struct Held;
  std::unique_ptr<Held> held_;
};

}  // namespace mailwarden::json
