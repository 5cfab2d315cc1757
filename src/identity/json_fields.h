// The members of a JSON object that came from outside, each held against what it must be.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/timestamp.h"
#include "identity/mistakes.h"
#include "identity/person.h"
#include "json/value.h"

namespace mailwarden::identity {

class JsonFields {
 public:
  // `where` begins every sentence. All three must outlive this.
  JsonFields(const json::Value& object, const std::string& where, Mistakes& mistakes,
             std::size_t text_bytes_max)
      : object_(object), where_(where), mistakes_(mistakes), text_bytes_max_(text_bytes_max) {}

  // Absent, null and "" give nothing; what is wrong gives nothing and a mistake.
  std::optional<std::string> text(std::string_view name);
  std::optional<std::string> email(std::string_view name);
  std::optional<bool> truth(std::string_view name);
  std::optional<Timestamp> time(std::string_view name);
  // The items of an array of objects; null where it is absent or wrong.
  const json::Array* objects(std::string_view name, std::size_t items_max);
  // E-mail addresses, without doubles; nothing where the array is absent.
  std::optional<std::vector<std::string>> emails(std::string_view name, std::size_t items_max);
  // For what must be there.
  template <class T>
  T required(std::string_view name, std::optional<T> value) {
    // What was wrong has been told already.
    if (!value && is_absent(name)) wrong(name, "is missing");
    return std::move(value).value_or(T());
  }

  void wrong(std::string_view name, std::string_view what);

 private:
  bool is_absent(std::string_view name) const;
  const json::Array* array(std::string_view name, std::size_t items_max);

  const json::Value& object_;
  const std::string& where_;
  Mistakes& mistakes_;
  std::size_t text_bytes_max_;
};

}  // namespace mailwarden::identity
