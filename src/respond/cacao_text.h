// Texts in which variables stand, as CACAO has them and as playbooks have them.
//
// What     In CACAO a variable is named __x__ and its value stands in a text as __x__:value; here
//          it is ${x}. VariableNames knows both names of each. Command lines become words where no
//          shell is needed for them.
// Owns     Its names.
// Threads  Values, pure functions.
// Errors   None.
// Limits   name_bytes_max of a name in CACAO, with its underscores.
// Source   CACAO 2.0, section 10.18; POSIX.1-2017, volume 3, section 2.2, for quoting.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace mailwarden::respond::cacao {

using Texts = std::map<std::string, std::string, std::less<>>;

// Whether it is a variable's name in CACAO: "__x__".
bool is_cacao_name(std::string_view name);

class VariableNames {
 public:
  static constexpr std::size_t name_bytes_max = 204;

  // The later of two that say something of the same name counts.
  void add(const std::string& cacao, const std::string& native);

  // "" for a name that is not known.
  std::string native(std::string_view cacao) const;
  std::string cacao(std::string_view native) const;
  const Texts& by_cacao() const { return native_; }

  // A name that is free in CACAO, and here; made of `wish`.
  std::string free_cacao(std::string_view wish) const;
  std::string free_native(std::string_view wish) const;

 private:
  Texts native_;  // by CACAO's name
  Texts cacao_;   // by ours
};

// Variables that are not known stay as they are written.
std::string to_cacao_text(std::string_view text, const VariableNames& names);
std::string to_native_text(std::string_view text, const VariableNames& names);
// Of all texts within.
json::Value to_cacao_value(const json::Value& value, const VariableNames& names);
json::Value to_native_value(const json::Value& value, const VariableNames& names);
// "__x__:value" in `text` whose x nobody has declared.
std::vector<std::string> undeclared(std::string_view text, const VariableNames& names);

// The words of a command line that every shell takes for the same and that mean nothing but
// themselves; nothing where a shell would do more than split it.
std::optional<std::vector<std::string>> read_words(std::string_view line);
std::string write_words(const std::vector<std::string>& words);

// Text as part of an id: lower-case letters, digits and '-', a letter first; "" where nothing is
// left.
std::string slug(std::string_view text, std::size_t bytes_max);

}  // namespace mailwarden::respond::cacao
