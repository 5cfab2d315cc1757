// Reads a condition: recursive descent, one function for each level of the grammar.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "respond/condition_tree.h"

namespace mailwarden::respond {
namespace {

using Node = Condition::Node;

constexpr std::array condition_words{std::string_view("and"),   std::string_view("or"),
                                     std::string_view("not"),   std::string_view("in"),
                                     std::string_view("true"),  std::string_view("false"),
                                     std::string_view("exists")};

// The longer of two that begin alike stands first.
constexpr std::array operators{std::pair{Node::Op::equal, std::string_view("==")},
                               std::pair{Node::Op::not_equal, std::string_view("!=")},
                               std::pair{Node::Op::less_equal, std::string_view("<=")},
                               std::pair{Node::Op::greater_equal, std::string_view(">=")},
                               std::pair{Node::Op::less, std::string_view("<")},
                               std::pair{Node::Op::greater, std::string_view(">")},
                               std::pair{Node::Op::in, std::string_view("in")}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool continues_name(char c) {
  return begins_name(c) || is_digit(c) || c == '-' || c == '.';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> run() {
    auto node = any();
    if (!node) return node;
    skip_blanks();
    if (at_ < text_.size()) return wrong("'and', 'or' or the end was expected");
    return node;
  }
  std::set<std::string, std::less<>> variables;

 private:
  std::unexpected<Error> wrong(const std::string& what) const {
    return fail(Code::invalid, "column " + std::to_string(at_ + 1) + ": " + what);
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }

  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // The word that stands here, or nothing.
  std::string_view word() {
    skip_blanks();
    if (at_ >= text_.size() || !begins_name(text_[at_])) return {};
    std::size_t end = at_;
    while (end < text_.size() && continues_name(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }

  bool take_word(std::string_view wanted) {
    if (word() != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  Result<Node> any() { return chain(Node::Kind::any, "or", &Parser::all); }
  Result<Node> all() { return chain(Node::Kind::all, "and", &Parser::negation); }

  Result<Node> chain(Node::Kind kind, std::string_view joint, Result<Node> (Parser::*part)()) {
    auto first = (this->*part)();
    if (!first || word() != joint) return first;
    Node node{.kind = kind, .value = {}, .name = {}, .items = {*std::move(first)}};
    while (take_word(joint)) {
      auto next = (this->*part)();
      if (!next) return next;
      node.items.push_back(*std::move(next));
    }
    return node;
  }

  Result<Node> negation() {
    if (depth_ >= Condition::depth_max) return wrong("nested too deep");
    ++depth_;
    auto node = take_word("not") ? negated() : primary();
    --depth_;
    return node;
  }

  Result<Node> negated() {
    auto inner = negation();
    if (!inner) return inner;
    return Node{
        .kind = Node::Kind::negation, .value = {}, .name = {}, .items = {*std::move(inner)}};
  }

  Result<Node> primary() {
    if (take('(')) {
      auto inner = any();
      if (inner && !take(')')) return wrong("')' was expected");
      return inner;
    }
    if (take_word("exists")) return variable(Node::Kind::exists);
    auto left = operand();
    if (!left) return left;
    skip_blanks();
    for (const auto& [op, sign] : operators) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      if (op == Node::Op::in && word() != "in") continue;
      at_ += sign.size();
      auto right = operand();
      if (!right) return right;
      return Node{.kind = Node::Kind::compare,
                  .value = {},
                  .name = {},
                  .op = op,
                  .items = {*std::move(left), *std::move(right)}};
    }
    return truth(*std::move(left));
  }

  // What stands without an operator must be able to be true.
  Result<Node> truth(Node node) const {
    const bool literal = node.kind == Node::Kind::literal && node.value.as_bool() != nullptr;
    if (literal || node.kind == Node::Kind::variable) return node;
    return wrong("a comparison was expected: == != < <= > >= or in");
  }

  Result<Node> operand() {
    skip_blanks();
    if (at_ >= text_.size()) return wrong("a variable, number, text or list was expected");
    const char c = text_[at_];
    if (c == '"') return text();
    if (c == '-' || is_digit(c)) return number();
    if (c == '[') return list();
    if (take_word("true")) return literal(true);
    if (take_word("false")) return literal(false);
    return variable(Node::Kind::variable);
  }

  static Node literal(json::Value value) {
    return {.kind = Node::Kind::literal, .value = std::move(value), .name = {}, .items = {}};
  }

  Result<Node> variable(Node::Kind kind) {
    const std::string name(word());
    if (!is_variable_name(name)) return wrong("a variable's name was expected");
    at_ += name.size();
    variables.insert(name);
    return Node{.kind = kind, .value = {}, .name = name, .items = {}};
  }

  Result<Node> text() {
    std::string content;
    std::size_t at = at_ + 1;
    for (; at < text_.size() && text_[at] != '"'; ++at) {
      if (text_[at] != '\\') {
        content += text_[at];
        continue;
      }
      constexpr std::string_view escapes = "\"\\nt";
      const std::size_t which =
          at + 1 < text_.size() ? escapes.find(text_[at + 1]) : std::string_view::npos;
      if (which == std::string_view::npos) {
        return wrong(R"(behind a backslash in a text stands one of " \ n t)");
      }
      content += std::string_view("\"\\\n\t")[which];
      ++at;
    }
    if (at >= text_.size()) return wrong("a text is never closed");
    at_ = at + 1;
    return literal(std::move(content));
  }

  Result<Node> number() {
    std::size_t end = at_;
    while (end < text_.size() &&
           (is_digit(text_[end]) || std::string_view("+-.eE").contains(text_[end])))
      ++end;
    const std::string_view digits = text_.substr(at_, end - at_);
    // JSON's reader knows what a number is, and that one is too large.
    const auto value = json::parse(digits);
    if (!value || (value->as_integer() == nullptr && value->as_number() == nullptr)) {
      return wrong("'" + printable(digits) + "' is no number");
    }
    at_ = end;
    return literal(*value);
  }

  Result<Node> list() {
    ++at_;
    Node node{.kind = Node::Kind::list, .value = {}, .name = {}, .items = {}};
    if (take(']')) return node;
    do {
      skip_blanks();
      if (at_ < text_.size() && text_[at_] == '[') return wrong("lists hold no lists");
      auto item = operand();
      if (!item) return item;
      node.items.push_back(*std::move(item));
    } while (take(','));
    if (!take(']')) return wrong("',' or ']' was expected");
    return node;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string_view to_string(Node::Op op) {
  return std::ranges::find(operators, op, [](const auto& known) { return known.first; })->second;
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.size() <= variable_name_bytes_max && begins_name(name.front()) &&
         std::ranges::all_of(name, continues_name) &&
         std::ranges::find(condition_words, name) == condition_words.end();
}

Result<Condition> Condition::parse(std::string_view text) {
  if (text.size() > text_bytes_max) {
    return fail(Code::invalid, "column " + std::to_string(text_bytes_max + 1) +
                                   ": a condition has at most " + std::to_string(text_bytes_max) +
                                   " bytes");
  }
  Parser parser(text);
  auto root = parser.run();
  if (!root) return std::unexpected(root.error());
  Condition condition;
  condition.root_ = std::make_shared<const Node>(*std::move(root));
  condition.variables_ = std::move(parser.variables);
  return condition;
}

}  // namespace mailwarden::respond
