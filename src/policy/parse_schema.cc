#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/lexer.h"
#include "policy/schema_fragment.h"

namespace mailwarden::policy {
namespace {

// Where Cedar's own types stand.
constexpr std::string_view own = "__cedar";

class SchemaParser {
 public:
  SchemaParser(std::string_view text, const SchemaOptions& options)
      : lexer_(text), options_(options) {}

  Result<SchemaFragment> run() {
    SchemaFragment fragment;
    NamespaceDeclaration outside;
    while (lexer_.peek().kind != Token::Kind::end) {
      auto notes = annotations();
      if (!notes) return std::unexpected(notes.error());
      if (lexer_.take("namespace")) {
        auto space = name_space(*std::move(notes));
        if (!space) return std::unexpected(space.error());
        fragment.namespaces.push_back(*std::move(space));
      } else if (auto done = declaration(outside, *std::move(notes)); !done) {
        return std::unexpected(done.error());
      }
    }
    const bool is_used =
        !outside.entities.empty() || !outside.actions.empty() || !outside.types.empty();
    if (is_used || fragment.namespaces.empty()) {
      fragment.namespaces.insert(fragment.namespaces.begin(), std::move(outside));
    }
    return fragment;
  }

 private:
  using Notes = std::vector<Annotation>;

  std::unexpected<Error> wrong(const Token& token, const std::string& expected) const {
    return fail(Code::invalid, lexer_.where(token) + ": " + Lexer::shown(token) + " where " +
                                   expected + " was expected");
  }
  std::unexpected<Error> refused(const Token& token, const std::string& why) const {
    return fail(Code::invalid, lexer_.where(token) + ": " + why);
  }

  Result<void> expect(std::string_view symbol) {
    if (lexer_.take(symbol)) return {};
    return wrong(lexer_.peek(), "'" + std::string(symbol) + "'");
  }

  Result<std::string> string(const Token& token) const {
    auto text = unescape(token.text);
    if (!text) return refused(token, text.error().what);
    return text;
  }

  Result<std::string> identifier(const std::string& what) {
    const Token token = lexer_.take();
    if (token.kind != Token::Kind::identifier || is_reserved(token.text)) return wrong(token, what);
    return std::string(token.text);
  }

  // An identifier or a string. `__cedar` is reserved among types alone.
  Result<std::string> name(const std::string& what) {
    const Token token = lexer_.take();
    if (token.kind == Token::Kind::string) return string(token);
    if (token.kind != Token::Kind::identifier || (is_reserved(token.text) && token.text != own)) {
      return wrong(token, what);
    }
    return std::string(token.text);
  }

  Result<void> declare(const Token& token, const NamespaceDeclaration& space, std::string_view kind,
                       std::string_view name) {
    const std::string key = std::string(kind) + " " + space.name + " " + std::string(name);
    if (declared_.insert(key).second) return {};
    return refused(token,
                   "the " + std::string(kind) + " '" + printable(name) + "' is declared twice");
  }

  // A::B. The first of several parts may be __cedar where `reserved` says so.
  Result<std::string> path(const std::string& what, bool reserved = false) {
    std::string all;
    do {
      const Token token = lexer_.take();
      const bool is_cedar = reserved && all.empty() && token.is(own);
      if (token.kind != Token::Kind::identifier || (is_reserved(token.text) && !is_cedar)) {
        return wrong(token, what);
      }
      all.append(all.empty() ? "" : "::").append(token.text);
      if (is_cedar && !lexer_.peek().is("::")) return wrong(token, what);
    } while (lexer_.take("::"));
    return all;
  }

  Result<Notes> annotations() {
    Notes notes;
    std::set<std::string, std::less<>> names;
    while (lexer_.take("@")) {
      const Token token = lexer_.take();
      if (token.kind != Token::Kind::identifier) return wrong(token, "an annotation's name");
      Annotation one{.name = std::string(token.text), .value = std::nullopt};
      if (lexer_.take("(")) {
        const Token value = lexer_.take();
        if (value.kind != Token::Kind::string) return wrong(value, "a string");
        auto text = string(value);
        if (!text) return std::unexpected(text.error());
        one.value = *std::move(text);
        if (auto done = expect(")"); !done) return std::unexpected(done.error());
      }
      if (!names.insert(one.name).second) {
        return refused(token, "the annotation '" + one.name + "' stands twice");
      }
      notes.push_back(std::move(one));
    }
    return notes;
  }

  Result<NamespaceDeclaration> name_space(Notes notes) {
    NamespaceDeclaration space{.annotations = std::move(notes)};
    const Token token = lexer_.peek();
    auto name = path("a namespace's name");
    if (!name) return std::unexpected(name.error());
    if (auto done = declare(token, space, "namespace", *name); !done) {
      return std::unexpected(done.error());
    }
    space.name = *std::move(name);
    if (auto done = expect("{"); !done) return std::unexpected(done.error());
    while (!lexer_.take("}")) {
      auto inner = annotations();
      if (!inner) return std::unexpected(inner.error());
      if (auto done = declaration(space, *std::move(inner)); !done) {
        return std::unexpected(done.error());
      }
    }
    return space;
  }

  Result<void> declaration(NamespaceDeclaration& space, Notes notes) {
    if (lexer_.take("entity")) return entity(space, std::move(notes));
    if (lexer_.take("action")) return action(space, std::move(notes));
    if (lexer_.take("type")) return type_name(space, std::move(notes));
    return wrong(lexer_.peek(), "'entity', 'action', 'type' or 'namespace'");
  }

  // The end of a declaration of so many names, each of which gets its items.
  Result<void> finish(std::size_t names, std::size_t items_before) {
    items_ += (names - 1) * (items_ - items_before + 1);
    if (items_ > options_.items_max) {
      return refused(lexer_.peek(), "the schema has more than " +
                                        std::to_string(options_.items_max) +
                                        " types and list items");
    }
    return expect(";");
  }

  // One, or some in brackets, without a comma behind the last.
  template <class One>
  Result<void> one_or_list(One one) {
    if (!lexer_.take("[")) return one();
    return list(one);
  }
  template <class One>
  Result<void> list(One one) {
    do {
      ++items_;
      if (auto done = one(); !done) return done;
    } while (lexer_.take(","));
    if (lexer_.take("]")) return {};
    return wrong(lexer_.peek(), "',' or ']'");
  }

  Result<void> entity_types(std::vector<std::string>& into) {
    const auto one = [&]() -> Result<void> {
      auto type = path("an entity type");
      if (!type) return std::unexpected(type.error());
      into.push_back(*std::move(type));
      return {};
    };
    if (!lexer_.take("[")) return one();
    return lexer_.take("]") ? Result<void>() : list(one);
  }

  Result<void> entity(NamespaceDeclaration& space, Notes notes) {
    EntityDeclaration made{.annotations = std::move(notes)};
    std::vector<std::string> names;
    const std::size_t before = items_;
    do {
      const Token token = lexer_.peek();
      auto one = identifier("an entity type's name");
      if (!one) return std::unexpected(one.error());
      if (auto done = declare(token, space, "entity type", *one); !done) return done;
      names.push_back(*std::move(one));
    } while (lexer_.take(","));
    if (lexer_.take("enum")) {
      if (auto done = choices(made); !done) return done;
    } else if (auto done = shape(made); !done) {
      return done;
    }
    if (auto done = finish(names.size(), before); !done) return done;
    for (std::string& one : names) {
      space.entities.push_back(made);
      space.entities.back().name = std::move(one);
    }
    return {};
  }

  Result<void> choices(EntityDeclaration& made) {
    made.choices.emplace();
    if (auto done = expect("["); !done) return done;
    return list([&]() -> Result<void> {
      const Token token = lexer_.take();
      if (token.kind != Token::Kind::string) return wrong(token, "an id in quotes");
      auto id = string(token);
      if (!id) return std::unexpected(id.error());
      made.choices->push_back(*std::move(id));
      return {};
    });
  }

  Result<void> shape(EntityDeclaration& made) {
    if (lexer_.take("in")) {
      if (auto done = entity_types(made.parents); !done) return done;
    }
    const bool has_sign = lexer_.take("=");
    if (has_sign || lexer_.peek().is("{")) {
      if (!lexer_.peek().is("{")) return wrong(lexer_.peek(), "'{'");
      auto record = type();
      if (!record) return std::unexpected(record.error());
      made.shape = *std::move(record);
    }
    if (lexer_.take("tags")) {
      auto tags = type();
      if (!tags) return std::unexpected(tags.error());
      made.tags = *std::move(tags);
    }
    return {};
  }

  Result<void> action(NamespaceDeclaration& space, Notes notes) {
    ActionDeclaration made{.annotations = std::move(notes)};
    std::vector<std::string> names;
    const std::size_t before = items_;
    do {
      const Token token = lexer_.peek();
      auto one = name("an action's name");
      if (!one) return std::unexpected(one.error());
      if (auto done = declare(token, space, "action", *one); !done) return done;
      names.push_back(*std::move(one));
    } while (lexer_.take(","));
    if (lexer_.take("in")) {
      const auto parents = one_or_list([&] { return action_reference(made); });
      if (!parents) return parents;
    }
    if (lexer_.take("appliesTo")) {
      if (auto done = applies_to(made.applies_to.emplace()); !done) return done;
    }
    // Reserved: there are no attributes of actions yet.
    if (lexer_.take("attributes")) {
      if (auto done = expect("{"); !done) return done;
      if (auto done = expect("}"); !done) return done;
    }
    if (auto done = finish(names.size(), before); !done) return done;
    for (std::string& one : names) {
      space.actions.push_back(made);
      space.actions.back().name = std::move(one);
    }
    return {};
  }

  // "read", read or A::Action::"read".
  Result<void> action_reference(ActionDeclaration& made) {
    const Token first = lexer_.peek();
    auto named = name("an action");
    if (!named) return std::unexpected(named.error());
    ActionReference reference{.id = *std::move(named)};
    Token last = first;
    while (last.kind == Token::Kind::identifier && lexer_.take("::")) {
      if (is_reserved(last.text)) return wrong(last, "the type of an action");
      reference.type.append(reference.type.empty() ? "" : "::").append(reference.id);
      last = lexer_.peek();
      auto next = name("an action's id in quotes");
      if (!next) return std::unexpected(next.error());
      reference.id = *std::move(next);
    }
    if (!reference.type.empty() && last.kind != Token::Kind::string) {
      return wrong(last, "an action's id in quotes");
    }
    made.parents.push_back(std::move(reference));
    return {};
  }

  Result<void> applies_to(AppliesTo& made) {
    const Token start = lexer_.peek();
    if (auto done = expect("{"); !done) return done;
    std::array<bool, 3> said{};
    while (!lexer_.take("}")) {
      const Token word = lexer_.take();
      constexpr std::array<std::string_view, 3> words = {"principal", "resource", "context"};
      const auto which = static_cast<std::size_t>(
          std::ranges::find_if(words, [&](auto one) { return word.is(one); }) - words.begin());
      if (which == words.size()) return wrong(word, "'principal', 'resource' or 'context'");
      if (said[which]) return refused(word, "'" + std::string(word.text) + "' stands twice");
      said[which] = true;
      if (auto done = expect(":"); !done) return done;
      if (which < 2) {
        auto& types = which == 0 ? made.principals : made.resources;
        if (auto done = entity_types(types); !done) return done;
        if (types.empty()) return refused(word, "the list of types is empty");
      } else {
        auto context = type();
        if (!context) return std::unexpected(context.error());
        made.context = *std::move(context);
      }
      if (!lexer_.take(",") && !lexer_.peek().is("}")) return wrong(lexer_.peek(), "',' or '}'");
    }
    if (!said[0] || !said[1]) {
      return refused(start, "what an action applies to names its principal and its resource");
    }
    return {};
  }

  Result<void> type_name(NamespaceDeclaration& space, Notes notes) {
    TypeDeclaration made{.annotations = std::move(notes)};
    const Token token = lexer_.peek();
    auto one = identifier("a type's name");
    if (!one) return std::unexpected(one.error());
    if (auto done = declare(token, space, "type", *one); !done) return done;
    made.name = *std::move(one);
    if (auto done = expect("="); !done) return done;
    auto right = type();
    if (!right) return std::unexpected(right.error());
    made.type = *std::move(right);
    space.types.push_back(std::move(made));
    return expect(";");
  }

  Result<TypeExpression> type() {
    if (nesting_ >= options_.nesting_max) {
      return refused(lexer_.peek(), "types stand deeper in one another than " +
                                        std::to_string(options_.nesting_max) + " levels");
    }
    ++items_;
    ++nesting_;
    auto made = type_inside();
    --nesting_;
    return made;
  }

  Result<TypeExpression> type_inside() {
    TypeExpression made;
    if (lexer_.take("{")) {
      made.form = TypeExpression::Form::record;
      if (auto done = attributes(made); !done) return std::unexpected(done.error());
      return made;
    }
    auto named = path("a type", true);
    if (!named) return std::unexpected(named.error());
    made.name = *std::move(named);
    if (made.name == "Set" && lexer_.take("<")) {
      made.form = TypeExpression::Form::set;
      made.name.clear();
      auto element = type();
      if (!element) return element;
      made.element.push_back(*std::move(element));
      if (auto done = expect(">"); !done) return std::unexpected(done.error());
    }
    return made;
  }

  Result<void> attributes(TypeExpression& made) {
    std::map<std::string, std::size_t> numbers;
    while (!lexer_.take("}")) {
      AttributeDeclaration one;
      auto notes = annotations();
      if (!notes) return std::unexpected(notes.error());
      one.annotations = *std::move(notes);
      auto named = name("an attribute's name");
      if (!named) return std::unexpected(named.error());
      one.name = *std::move(named);
      one.is_required = !lexer_.take("?");
      if (auto done = expect(":"); !done) return done;
      auto right = type();
      if (!right) return std::unexpected(right.error());
      one.type.push_back(*std::move(right));
      // Of two of one name the reference takes the last.
      const auto [known, is_new] = numbers.emplace(one.name, made.attributes.size());
      if (is_new) {
        made.attributes.push_back(std::move(one));
      } else {
        made.attributes[known->second] = std::move(one);
      }
      if (!lexer_.take(",") && !lexer_.peek().is("}")) return wrong(lexer_.peek(), "',' or '}'");
    }
    return {};
  }

  Lexer lexer_;
  const SchemaOptions& options_;
  std::size_t nesting_ = 0;
  std::size_t items_ = 0;
  std::set<std::string> declared_;  // "action A read"
};

}  // namespace

Result<SchemaFragment> parse_schema(std::string_view text, const SchemaOptions& options) {
  if (text.size() > options.bytes_max) {
    return fail(Code::invalid,
                "the schema is longer than " + std::to_string(options.bytes_max) + " bytes");
  }
  if (!is_utf8(text)) return fail(Code::invalid, "the schema is not UTF-8");
  return SchemaParser(text, options).run();
}

}  // namespace mailwarden::policy
