// A JSON text, read where it stands.
//
// What     For requests of which a few texts are wanted and a tree of Values would cost more than
//          the answer: a View finds members and gives texts, and makes Values of what is asked for.
//          What parse() refuses is refused, with its sentence, wherever it stands.
// Owns     A Document room for short texts, which stays for the next; a View nothing: it is good
//          until the next read(), and as long as the `whole` that read() was given.
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

class ShortReader;

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
  using Place = std::array<std::byte, 2 * sizeof(void*)>;  // simdjson's

  explicit View(const Place& place) : value_(nullptr), place_(place) {}

  const Value* value_;  // null where it is a place
  Place place_{};
};

class Document {
 public:
  Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document();

  // A text that is not short, or not to be read where it stands, becomes `whole`.
  Result<View> read(std::string_view text, Value& whole, const ParseOptions& options = {});

 private:
  std::unique_ptr<ShortReader> reader_;
};

}  // namespace mailwarden::json
