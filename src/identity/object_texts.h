// The JSON objects of a text, one by one, so that a directory of any size is held one page at a
// time: one object, several behind each other, or those of one array.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace mailwarden::identity {

class ObjectTexts {
 public:
  explicit ObjectTexts(std::string_view text);

  // The next object's text, whose inside nobody has looked at; nothing at the end. Error{invalid}
  // where something else stands there, with its byte; the objects end there.
  Result<std::optional<std::string_view>> next();

 private:
  void skip_blanks();
  std::size_t end_of_object() const;
  std::unexpected<Error> wrong(std::string_view what);

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_array_ = false;
  bool first_ = true;
};

}  // namespace mailwarden::identity
