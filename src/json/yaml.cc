// The one place that knows yaml-cpp. Its event reader is used instead of its node tree, because the
// tree expands aliases before anybody could count them.
#include "json/yaml.h"

#include <deque>
#include <istream>
#include <set>
#include <spanstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"

namespace mailwarden::yaml {
namespace {

// What the handler refuses is thrown through yaml-cpp's parser as its own exception type, the only
// way that it offers to stop reading; parse() below turns it into an Error.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const ParseOptions& options) : options_(options) {}

  void OnDocumentStart(const YAML::Mark&) override { root_ = Node(); }
  void OnDocumentEnd() override { documents.push_back(std::move(root_)); }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    put(make(Node::Kind::null, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    stop(mark, "aliases (*name) are not accepted; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    // yaml-cpp marks what is quoted or a block with "!", and what is plain with "?".
    const bool quoted = tag == "!";
    const bool null = !quoted && (value == "~" || value == "null" || value == "Null" ||
                                  value == "NULL" || value.empty());
    Node node = make(null ? Node::Kind::null : Node::Kind::scalar, mark);
    node.scalar = value;
    node.quoted = quoted;
    put(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open(make(Node::Kind::sequence, mark), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open(make(Node::Kind::map, mark), mark);
  }
  void OnMapEnd() override { close(); }

  std::vector<Node> documents;

 private:
  struct Open {
    Node node;
    bool has_name = false;
    Node name;
    std::set<std::string> names;
  };

  [[noreturn]] static void stop(const YAML::Mark& mark, const std::string& what) {
    const YAML::ParserException refused(mark, what);
    std::rethrow_exception(std::make_exception_ptr(refused));
  }

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) stop(mark, "anchors (&name) are not accepted; write the value out");
  }

  Node make(Node::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > options_.nodes_max) {
      stop(mark, "more than " + std::to_string(options_.nodes_max) + " values");
    }
    Node node;
    node.kind = kind;
    node.line = static_cast<std::size_t>(mark.line) + 1;
    node.column = static_cast<std::size_t>(mark.column) + 1;
    last_ = mark;
    return node;
  }

  void put(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& inner = open_.back();
    if (inner.node.is_sequence()) {
      inner.node.items.push_back(std::move(node));
    } else if (inner.has_name) {
      inner.node.entries.emplace_back(std::move(inner.name), std::move(node));
      inner.has_name = false;
    } else {
      put_name(inner, std::move(node));
    }
  }

  void put_name(Open& inner, Node node) {
    if (!node.is_scalar() && !node.is_null())
      stop(last_, "a name must be a word, not a list or map");
    if (!inner.names.insert(node.scalar).second) {
      stop(last_, "'" + node.scalar + "' stands twice in one map");
    }
    inner.name = std::move(node);
    inner.has_name = true;
  }

  void open(Node node, const YAML::Mark& mark) {
    if (open_.size() >= options_.depth_max) {
      stop(mark, "nested deeper than " + std::to_string(options_.depth_max) + " levels");
    }
    open_.push_back({.node = std::move(node), .has_name = false, .name = {}, .names = {}});
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    put(std::move(node));
  }

  const ParseOptions& options_;
  std::deque<Open> open_;
  Node root_;
  YAML::Mark last_;
  std::size_t nodes_ = 0;
};

}  // namespace

const Node* Node::find(std::string_view name) const {
  for (const auto& [entry_name, value] : entries) {
    if (entry_name.scalar == name) return &value;
  }
  return nullptr;
}

std::string Node::where() const {
  return "line " + std::to_string(line);
}

Result<std::vector<Node>> parse(std::string_view text, const ParseOptions& options) {
  if (text.size() > options.bytes_max) {
    return fail(Code::full, "YAML text of " + std::to_string(text.size()) + " bytes; at most " +
                                std::to_string(options.bytes_max) + " are read");
  }
  std::ispanstream stream{std::span<const char>(text)};
  Builder builder(options);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    return fail(Code::invalid, "line " + std::to_string(e.mark.line + 1) + ", column " +
                                   std::to_string(e.mark.column + 1) + ": " + e.msg);
  }
  return std::move(builder.documents);
}

json::Value to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return {};
    case Node::Kind::sequence: {
      json::Array items;
      for (const Node& item : node.items) items.push_back(to_json(item));
      return items;
    }
    case Node::Kind::map: {
      json::Object members;
      for (const auto& [name, value] : node.entries) members[name.scalar] = to_json(value);
      return members;
    }
    case Node::Kind::scalar:
      break;
  }
  if (is_true(node)) return true;
  if (is_false(node)) return false;
  if (node.quoted) return node.scalar;
  if (const auto number = to_integer(node.scalar)) return *number;
  return node.scalar;
}

bool is_true(const Node& node) {
  return node.is_scalar() && !node.quoted &&
         (node.scalar == "true" || node.scalar == "True" || node.scalar == "TRUE");
}

bool is_false(const Node& node) {
  return node.is_scalar() && !node.quoted &&
         (node.scalar == "false" || node.scalar == "False" || node.scalar == "FALSE");
}

}  // namespace mailwarden::yaml
