// Reads policies out of YAML and gathers every mistake in them.
//
// What     A Reader asks a map for its entries by name and kind. What is missing or wrong becomes a
//          sentence with file and line, and the reader goes on, so that whoever wrote the file
//          learns of all mistakes at once.
// Owns     The sentences.
// Threads  One.
// Errors   mistakes(); what a function returns after a mistake is the fallback or empty.
// Limits   yaml::ParseOptions.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "json/yaml.h"

namespace mailwarden::yaml {

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  // The documents of a text; none where it is no YAML.
  std::vector<Node> documents(std::string_view text);

  void mistake(const Node& node, const std::string& what);
  const std::string& file() const { return file_; }
  const std::vector<std::string>& mistakes() const { return mistakes_; }
  // One sentence a line.
  std::string all_mistakes() const;

  // A map with no other names than these.
  bool is_map(const Node& node, std::string_view what,
              std::initializer_list<std::string_view> known);

  // Entries that must be there.
  std::string text(const Node& map, std::string_view name);
  std::vector<std::string> texts(const Node& map, std::string_view name);
  const Node* sequence(const Node& map, std::string_view name);

  // Entries that may be there.
  std::string text(const Node& map, std::string_view name, std::string_view fallback);
  std::vector<std::string> texts_if_any(const Node& map, std::string_view name);
  bool truth(const Node& map, std::string_view name, bool fallback);
  Duration duration(const Node& map, std::string_view name, Duration fallback);
  std::int64_t integer(const Node& map, std::string_view name, std::int64_t least,
                       std::int64_t most, std::int64_t fallback);

 private:
  std::string file_;
  std::vector<std::string> mistakes_;
};

}  // namespace mailwarden::yaml
