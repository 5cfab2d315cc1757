#include "respond/condition.h"

#include <array>
#include <compare>
#include <optional>

#include <arpa/inet.h>

#include "base/check.h"
#include "base/text.h"
#include "respond/condition_tree.h"

namespace mailwarden::respond {
namespace {

using Node = Condition::Node;
using Op = Node::Op;
using Lookup = Condition::Lookup;

std::string_view kind_of(const json::Value& value) {
  if (value.as_bool() != nullptr) return "a boolean";
  if (value.as_integer() != nullptr) return "an integer";
  if (value.as_number() != nullptr) return "a number";
  if (value.as_string() != nullptr) return "a text";
  if (value.as_array() != nullptr) return "a list";
  return value.is_null() ? "nothing" : "a dictionary";
}

// Wide enough for every integer and every double as they are.
std::optional<long double> number_of(const json::Value& value) {
  if (const auto* integer = value.as_integer()) return static_cast<long double>(*integer);
  if (const auto* number = value.as_number()) return static_cast<long double>(*number);
  return std::nullopt;
}

// An address's family and bytes in the order of the network; a text of one kind only.
std::optional<std::string> address_of(const std::string& text) {
  std::array<char, 16> bytes{};
  if (text.contains('\0')) return std::nullopt;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    return "4" + std::string(bytes.data(), 4);
  }
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    return "6" + std::string(bytes.data(), bytes.size());
  }
  return std::nullopt;
}

std::strong_ordering order(const std::string& left, const std::string& right) {
  const auto left_address = address_of(left);
  const auto right_address = left_address ? address_of(right) : std::nullopt;
  if (right_address && left_address->front() == right_address->front()) {
    return *left_address <=> *right_address;
  }
  return left <=> right;
}

bool holds(Op op, std::partial_ordering order) {
  switch (op) {
    case Op::equal:
      return order == 0;
    case Op::not_equal:
      return order != 0;
    case Op::less:
      return order < 0;
    case Op::less_equal:
      return order <= 0;
    case Op::greater:
      return order > 0;
    case Op::greater_equal:
      return order >= 0;
    case Op::in:
      break;
  }
  CHECK(false);
  return false;
}

std::unexpected<Error> does_not_fit(const json::Value& left, Op op, const json::Value& right) {
  return fail(Code::invalid, std::string(kind_of(left)) + " and " + std::string(kind_of(right)) +
                                 " do not compare by " + std::string(to_string(op)));
}

Result<bool> compare(const json::Value& left, Op op, const json::Value& right) {
  const auto left_number = number_of(left);
  const auto right_number = number_of(right);
  if (left_number && right_number) return holds(op, *left_number <=> *right_number);
  const auto* left_text = left.as_string();
  const auto* right_text = right.as_string();
  if (left_text != nullptr && right_text != nullptr) {
    return holds(op, order(*left_text, *right_text));
  }
  const bool equality = op == Op::equal || op == Op::not_equal;
  if (!equality || kind_of(left) != kind_of(right)) return does_not_fit(left, op, right);
  return (left == right) == (op == Op::equal);
}

Result<bool> is_in(const json::Value& item, const json::Value& list) {
  const auto* items = list.as_array();
  if (items == nullptr) return does_not_fit(item, Op::in, list);
  bool found = false;
  for (const json::Value& one : *items) {
    const auto same = compare(item, Op::equal, one);
    if (!same) return same;
    found = found || *same;
  }
  return found;
}

class Evaluation {
 public:
  explicit Evaluation(const Lookup& lookup) : lookup_(lookup) {}

  Result<bool> truth(const Node& node) const {
    switch (node.kind) {
      case Node::Kind::exists:
        return !lookup_(node.name).is_null();
      case Node::Kind::negation: {
        auto inner = truth(node.items.front());
        if (inner) *inner = !*inner;
        return inner;
      }
      case Node::Kind::all:
        return chain(node, true);
      case Node::Kind::any:
        return chain(node, false);
      case Node::Kind::compare:
        return comparison(node);
      case Node::Kind::literal:
      case Node::Kind::variable:
      case Node::Kind::list:
        break;
    }
    const auto value = operand(node);
    if (!value) return std::unexpected(value.error());
    if (const bool* truth = value->as_bool()) return *truth;
    return fail(Code::invalid,
                "'" + node.name + "' is " + std::string(kind_of(*value)) + " and cannot be true");
  }

 private:
  // Items until one is not `until_other`.
  Result<bool> chain(const Node& node, bool until_other) const {
    for (const Node& item : node.items) {
      auto one = truth(item);
      if (!one || *one != until_other) return one;
    }
    return until_other;
  }

  Result<bool> comparison(const Node& node) const {
    const auto left = operand(node.items[0]);
    if (!left) return std::unexpected(left.error());
    const auto right = operand(node.items[1]);
    if (!right) return std::unexpected(right.error());
    return node.op == Op::in ? is_in(*left, *right) : compare(*left, node.op, *right);
  }

  Result<json::Value> operand(const Node& node) const {
    if (node.kind == Node::Kind::literal) return node.value;
    if (node.kind == Node::Kind::variable) {
      json::Value value = lookup_(node.name);
      if (!value.is_null()) return value;
      return fail(Code::not_found, "the variable '" + node.name + "' has no value yet");
    }
    json::Array items;
    for (const Node& item : node.items) {
      auto value = operand(item);
      if (!value) return value;
      items.push_back(*std::move(value));
    }
    return json::Value(std::move(items));
  }

  const Lookup& lookup_;
};

void print(std::string& out, const Node& node);

void print_literal(std::string& out, const json::Value& value) {
  const auto* text = value.as_string();
  if (text == nullptr) {
    const std::string number = json::to_text(value);
    out += number;
    if (value.as_number() != nullptr && !std::string_view(number).contains('.') &&
        !std::string_view(number).contains('e')) {
      out += ".0";  // else it would be read as an integer
    }
    return;
  }
  out += '"';
  for (const char c : *text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else {
      out += c;
    }
  }
  out += '"';
}

void print_items(std::string& out, const Node& node, std::string_view joint, bool in_parentheses) {
  bool first = true;
  for (const Node& item : node.items) {
    if (!first) out += joint;
    first = false;
    const bool chain = item.kind == Node::Kind::any || item.kind == Node::Kind::all;
    if (chain && in_parentheses) out += '(';
    print(out, item);
    if (chain && in_parentheses) out += ')';
  }
}

void print(std::string& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::literal:
      return print_literal(out, node.value);
    case Node::Kind::variable:
      out += node.name;
      return;
    case Node::Kind::list:
      out += '[';
      print_items(out, node, ", ", false);
      out += ']';
      return;
    case Node::Kind::exists:
      out += "exists " + node.name;
      return;
    case Node::Kind::negation:
      out += "not ";
      return print_items(out, node, "", true);
    case Node::Kind::all:
      return print_items(out, node, " and ", true);
    case Node::Kind::any:
      return print_items(out, node, " or ", true);
    case Node::Kind::compare:
      return print_items(out, node, " " + std::string(to_string(node.op)) + " ", false);
  }
}

}  // namespace

Result<bool> Condition::evaluate(const Lookup& lookup) const {
  return Evaluation(lookup).truth(*root_);
}

std::string Condition::to_text() const {
  std::string out;
  print(out, *root_);
  return out;
}

}  // namespace mailwarden::respond
