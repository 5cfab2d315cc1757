// YAML as a value that remembers where it stood.
//
// What     parse() reads every document of a text into Nodes; a Node knows its line and column, so
//          that whoever judges it can say where. Scalars stay text: whether `on` or `5` is a word
//          or a number is the reader's question, and `quoted` tells what the writer meant.
// Owns     Its content.
// Threads  Values; every function is pure.
// Errors   Error{invalid} with line, column and what was expected.
// Limits   ParseOptions: nodes_max, depth_max and bytes_max; anchors and aliases are refused, since
//          a few lines of them expand to gigabytes and no policy needs them.
// Source   YAML 1.2 as yaml-cpp 0.7 reads it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace mailwarden::yaml {

struct Node {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  std::string scalar;   // the text of a scalar
  bool quoted = false;  // written in quotes or as a block, so never a number, truth or null
  std::vector<Node> items;
  struct Entry;
  std::vector<Entry> entries;  // in the order of the text; names are scalars
  std::size_t line = 0;        // from 1; 0 where there was no text
  std::size_t column = 0;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_map() const { return kind == Kind::map; }

  // The entry of that name, or nothing.
  const Node* find(std::string_view name) const;
  // "line 3"; for messages.
  std::string where() const;
};

// A named type, since a pair of Nodes inside a Node is more recursion than clang's library follows.
struct Node::Entry {
  Node first;
  Node second;
};

struct ParseOptions {
  std::size_t bytes_max = 4 * 1024 * 1024;
  std::size_t nodes_max = 200'000;
  std::size_t depth_max = 64;
};

// Every document of `text`; an empty text has none. A map in which a name stands twice is refused.
Result<std::vector<Node>> parse(std::string_view text, const ParseOptions& options = {});

// As JSON: plain scalars that are a truth, a whole number or null become one, other scalars texts.
json::Value to_json(const Node& node);

// A plain scalar as YAML's core schema reads it.
bool is_true(const Node& node);
bool is_false(const Node& node);

}  // namespace mailwarden::yaml
