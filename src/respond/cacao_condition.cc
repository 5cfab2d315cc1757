#include "respond/cacao_condition.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "respond/condition_tree.h"
#include "respond/value_type.h"

namespace mailwarden::respond::cacao {
namespace {

using Node = Condition::Node;
using flow::VariableType;
using json::Value;

// STIX has longer names and words; what comes of it has still to be within Condition's limit.
constexpr std::size_t pattern_bytes_max = 4 * Condition::text_bytes_max;

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    out += c;
  }
  return out + quote;
}

// Writes a tree of ours as STIX.
class StixWriter {
 public:
  explicit StixWriter(const VariableNames& names) : names_(names) {}

  // `negated`: the opposite of it. STIX has no NOT before parentheses, so it goes inwards.
  std::string write(const Node& node, bool negated) const {
    switch (node.kind) {
      case Node::Kind::negation:
        return write(node.items.front(), !negated);
      case Node::Kind::all:
        return chain(node, negated, !negated);
      case Node::Kind::any:
        return chain(node, negated, negated);
      case Node::Kind::exists:
        return (negated ? "NOT EXISTS " : "EXISTS ") + path(node.name);
      case Node::Kind::compare:
        return comparison(node, negated);
      default:
        return operand(node) + " = " + (negated ? "false" : "true");
    }
  }

 private:
  std::string path(const std::string& name) const {
    const std::string known = names_.cacao(name);
    return (known.empty() ? names_.free_cacao(name) : known) + ":value";
  }

  std::string chain(const Node& node, bool negated, bool with_and) const {
    std::string out;
    for (const Node& item : node.items) {
      if (!out.empty()) out += with_and ? " AND " : " OR ";
      const bool group = item.kind == Node::Kind::all || item.kind == Node::Kind::any ||
                         item.kind == Node::Kind::negation;
      const std::string text = write(item, negated);
      out += group ? "(" + text + ")" : text;
    }
    return out;
  }

  std::string operand(const Node& node) const {
    if (node.kind == Node::Kind::variable) return path(node.name);
    if (node.kind == Node::Kind::list) {
      std::string out = "(";
      for (const Node& item : node.items) {
        if (out.size() > 1) out += ", ";
        out += operand(item);
      }
      return out + ")";
    }
    const std::string* text = node.value.as_string();
    return text == nullptr ? json::to_text(node.value) : in_quotes(*text, '\'');
  }

  // A literal stands on the right in STIX.
  static Node::Op turned(Node::Op op) {
    switch (op) {
      case Node::Op::less:
        return Node::Op::greater;
      case Node::Op::less_equal:
        return Node::Op::greater_equal;
      case Node::Op::greater:
        return Node::Op::less;
      case Node::Op::greater_equal:
        return Node::Op::less_equal;
      default:
        return op;
    }
  }

  static std::string sign(Node::Op op) {
    if (op == Node::Op::equal) return "=";
    return op == Node::Op::in ? "IN" : std::string(to_string(op));
  }

  std::string comparison(const Node& node, bool negated) const {
    const Node* left = &node.items[0];
    const Node* right = &node.items[1];
    Node::Op op = node.op;
    if (left->kind == Node::Kind::literal && right->kind == Node::Kind::variable &&
        op != Node::Op::in) {
      std::swap(left, right);
      op = turned(op);
    }
    return operand(*left) + (negated ? " NOT " : " ") + sign(op) + " " + operand(*right);
  }

  const VariableNames& names_;
};

constexpr std::array unknown_words{std::string_view("LIKE"),       std::string_view("MATCHES"),
                                   std::string_view("ISSUBSET"),   std::string_view("ISSUPERSET"),
                                   std::string_view("FOLLOWEDBY"), std::string_view("WITHIN"),
                                   std::string_view("REPEATS"),    std::string_view("START")};

// As STIX writes it and as we do; the longer of two that begin alike stands first.
constexpr std::array signs{std::pair{std::string_view("=="), std::string_view("==")},
                           std::pair{std::string_view("="), std::string_view("==")},
                           std::pair{std::string_view("!="), std::string_view("!=")},
                           std::pair{std::string_view("<>"), std::string_view("!=")},
                           std::pair{std::string_view("<="), std::string_view("<=")},
                           std::pair{std::string_view(">="), std::string_view(">=")},
                           std::pair{std::string_view("<"), std::string_view("<")},
                           std::pair{std::string_view(">"), std::string_view(">")}};

// One side of a comparison, as it is read.
struct Operand {
  std::string variable;  // its name here; "" for a literal or a list
  Value literal;
  std::optional<std::vector<Operand>> list;
};

std::string literal_text(const Value& value) {
  const std::string* text = value.as_string();
  if (text == nullptr) return json::to_text(value);
  std::string out = "\"";
  for (const char c : *text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + '"';
}

// Reads STIX and writes ours as it goes. What a level answers can stand as part of a level above,
// with parentheses where that binds more tightly.
class StixReader {
 public:
  StixReader(std::string_view text, const VariableNames& names, const flow::Variables& variables)
      : text_(text), names_(names), variables_(variables) {}

  Result<std::string> run() {
    auto all = any();
    if (!all) return all;
    skip_blanks();
    if (at_ < text_.size()) return wrong("AND, OR or the end was expected");
    return all;
  }

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

  std::string_view word() {
    skip_blanks();
    std::size_t end = at_;
    while (end < text_.size() && (to_lower(text_[end]) >= 'a' && to_lower(text_[end]) <= 'z'))
      ++end;
    return text_.substr(at_, end - at_);
  }

  bool take_word(std::string_view wanted) {
    if (!equal_ignoring_case(word(), wanted)) return false;
    at_ += wanted.size();
    return true;
  }

  Result<std::string> any() { return chain("OR", " or ", &StixReader::all); }

  Result<std::string> all() { return chain("AND", " and ", &StixReader::negation); }

  Result<std::string> chain(std::string_view joint, std::string_view ours,
                            Result<std::string> (StixReader::*part)()) {
    auto out = (this->*part)();
    while (out && take_word(joint)) {
      auto next = (this->*part)();
      if (!next) return next;
      *out += std::string(ours) + *next;
    }
    return out;
  }

  Result<std::string> negation() {
    if (++depth_ > Condition::depth_max) return wrong("nested too deep");
    Result<std::string> out;
    if (take_word("NOT")) {
      out = negation();
      if (out) out = "not " + *out;
    } else {
      out = primary();
    }
    --depth_;
    return out;
  }

  Result<std::string> primary() {
    skip_blanks();
    const char open = at_ < text_.size() ? text_[at_] : '\0';
    if (open == '(' || open == '[') {
      ++at_;
      auto inner = any();
      if (inner && !take(open == '(' ? ')' : ']')) return wrong("a closing bracket was expected");
      return inner ? Result<std::string>("(" + *inner + ")") : inner;
    }
    if (take_word("EXISTS")) {
      auto name = operand();
      if (name && name->variable.empty()) return wrong("a variable was expected");
      return name ? Result<std::string>("exists " + name->variable) : std::unexpected(name.error());
    }
    return comparison();
  }

  Result<std::string> comparison() {
    auto left = operand();
    if (!left) return std::unexpected(left.error());
    const bool negated = take_word("NOT");
    auto sign = read_sign();
    if (!sign) return sign;
    auto right = operand();
    if (!right) return std::unexpected(right.error());
    if (*sign == "in" && !right->list && right->variable.empty()) {
      return wrong("a list in parentheses was expected");
    }
    return (negated ? "not " : "") + written(*left, *right) + " " + *sign + " " +
           written(*right, *left);
  }

  Result<std::string> read_sign() {
    skip_blanks();
    for (const auto& [stix, ours] : signs) {
      if (!text_.substr(at_).starts_with(stix)) continue;
      at_ += stix.size();
      return std::string(ours);
    }
    if (take_word("IN")) return "in";
    if (std::ranges::find(unknown_words, to_upper(word())) != unknown_words.end()) {
      return wrong(to_upper(word()) + " is not known to the daemon's conditions");
    }
    return wrong("one of = != < <= > >= IN was expected");
  }

  static std::string to_upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
  }

  Result<Operand> operand() {
    skip_blanks();
    if (at_ >= text_.size()) return wrong("a variable, a literal or a list was expected");
    const char c = text_[at_];
    if (c == '_') return variable();
    if (c == '\'') return text();
    if (c == '(') return list();
    if (c == '-' || (c >= '0' && c <= '9')) return number();
    if (take_word("true")) return Operand{.variable = {}, .literal = true, .list = {}};
    if (take_word("false")) return Operand{.variable = {}, .literal = false, .list = {}};
    return wrong(
        "a variable as __name__:value, a text in single quotes, a number, true, false or a "
        "list was expected");
  }

  Result<Operand> variable() {
    constexpr std::string_view mark = ":value";
    const std::size_t end = text_.find(mark, at_);
    const std::string_view name = text_.substr(at_, end == std::string_view::npos ? 0 : end - at_);
    if (!is_cacao_name(name)) return wrong("a variable stands as __name__:value");
    const std::string known = names_.native(name);
    if (known.empty()) return wrong("nothing declares the variable " + std::string(name));
    at_ = end + mark.size();
    return Operand{.variable = known, .literal = {}, .list = {}};
  }

  Result<Operand> text() {
    std::string content;
    std::size_t at = at_ + 1;
    for (; at < text_.size() && text_[at] != '\''; ++at) {
      if (text_[at] == '\\' && at + 1 < text_.size()) ++at;
      content += text_[at];
    }
    if (at >= text_.size()) return wrong("a text is never closed");
    at_ = at + 1;
    return Operand{.variable = {}, .literal = std::move(content), .list = {}};
  }

  Result<Operand> number() {
    std::size_t end = at_;
    while (end < text_.size() && std::string_view("+-.0123456789eE").contains(text_[end])) ++end;
    const std::string_view digits = text_.substr(at_, end - at_);
    const auto value = json::parse(digits);
    if (!value) return wrong("'" + printable(digits) + "' is no number");
    at_ = end;
    return Operand{.variable = {}, .literal = *value, .list = {}};
  }

  Result<Operand> list() {
    if (++depth_ > Condition::depth_max) return wrong("nested too deep");
    ++at_;
    Operand out;
    out.list.emplace();
    do {
      auto item = operand();
      if (!item) return item;
      if (item->list) return wrong("a list holds no lists");
      out.list->push_back(*std::move(item));
    } while (take(','));
    if (!take(')')) return wrong("',' or ')' was expected");
    --depth_;
    return out;
  }

  // As the type of what stands on the other side asks for it.
  Value fitted(const Value& literal, const Operand& other) const {
    const std::string* text = literal.as_string();
    const auto declared = variables_.find(other.variable);
    if (text == nullptr || declared == variables_.end()) return literal;
    switch (declared->second.type) {
      case VariableType::boolean:
      case VariableType::integer:
      case VariableType::long_int:
      case VariableType::floating:
        return read_value(*text, declared->second.type).value_or(literal);
      default:
        return literal;
    }
  }

  std::string written(const Operand& side, const Operand& other) const {
    if (!side.variable.empty()) return side.variable;
    if (!side.list) return literal_text(fitted(side.literal, other));
    std::string out = "[";
    for (const Operand& item : *side.list) {
      if (out.size() > 1) out += ", ";
      out += written(item, other);
    }
    return out + "]";
  }

  std::string_view text_;
  const VariableNames& names_;
  const flow::Variables& variables_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<std::string> to_stix(std::string_view condition, const VariableNames& names) {
  const auto parsed = Condition::parse(condition);
  if (!parsed) return std::unexpected(parsed.error());
  return StixWriter(names).write(parsed->root(), false);
}

Result<std::string> to_native(std::string_view pattern, const VariableNames& names,
                              const flow::Variables& variables) {
  if (pattern.size() > pattern_bytes_max) {
    return fail(Code::invalid,
                "a condition has at most " + std::to_string(pattern_bytes_max) + " bytes");
  }
  auto read = StixReader(pattern, names, variables).run();
  if (!read) return read;
  auto parsed = Condition::parse(*read);
  if (!parsed) return std::unexpected(parsed.error());
  return parsed->to_text();
}

}  // namespace mailwarden::respond::cacao
