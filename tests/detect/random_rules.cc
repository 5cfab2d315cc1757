#include "tests/detect/random_rules.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "tests/detect/oracle_value.h"
#include "tests/detect/random_line.h"

namespace mailwarden::random_rules {
namespace {

using Names = std::vector<std::string>;

// What an event should have so that a selection holds.
using Wish = std::vector<Hint>;

// Makes one case. Most of what it makes is lawful, or little would be left to compare. Where two
// choices stand in one expression, compilers would disagree on which is the first: none does here.
class Maker {
 public:
  explicit Maker(Choices& choices)
      : choices_(choices),
        vocabulary_(make_vocabulary(choices)),
        logsource_(choices.of(logsources())) {}

  Case make() {
    Case made;
    const std::size_t count = 1 + choices_.below(8);
    for (std::size_t i = 0; i < count; ++i) made.rules += rule(i);
    if (choices_.one_in(3)) made.rules = filters(count) + made.rules;
    if (choices_.one_in(4)) made.rules += filters(count);
    const std::size_t events = 2 + choices_.below(5);
    for (std::size_t i = 0; i < events; ++i) made.events.push_back(event());
    return made;
  }

 private:
  static const std::vector<Logsource>& logsources() {
    static const std::vector<Logsource> all{{"linux", "", "sshd"},
                                            {"linux", "", ""},
                                            {"linux", "", "auditd"},
                                            {"linux", "process_creation", "cron"},
                                            {"windows", "process_creation", ""},
                                            {"windows", "", "security"},
                                            {"", "webserver", "nginx"},
                                            {"", "", "sudo"}};
    return all;
  }

  std::string any_case(std::string word) {
    if (choices_.one_in(6) && !word.empty()) word[0] = static_cast<char>(word[0] & ~0x20);
    return word;
  }

  // ---- Rules.

  std::string logsource_text() {
    Logsource wanted = choices_.one_in(16) ? choices_.of(logsources()) : logsource_;
    if (wanted.product == "linux" && choices_.one_in(6)) {
      wanted.service = choices_.one_in(2) ? "auth" : "syslog";
    }
    std::string out;
    for (const auto& [name, part] :
         {std::pair<const char*, const std::string&>{"product", wanted.product},
          {"category", wanted.category},
          {"service", wanted.service}}) {
      if (part.empty() || choices_.one_in(3)) continue;
      out += std::string(out.empty() ? "" : ", ") + name + ": " + any_case(part);
    }
    // A rule must state something.
    if (out.empty() && !choices_.one_in(60)) {
      out = wanted.product.empty() ? "service: " + wanted.service : "product: " + wanted.product;
    }
    if (choices_.one_in(8)) {
      out += std::string(out.empty() ? "" : ", ") + "definition: of people";
    }
    return "logsource: {" + out + "}\n";
  }

  std::string rule(std::size_t index) {
    std::string out = "---\ntitle: Rule " + std::to_string(index) + "\n";
    out += "id: rule-" + std::to_string(choices_.one_in(300) ? 0 : index) + "\n";
    if (choices_.one_in(4)) out += "name: name-" + std::to_string(index) + "\n";
    out += logsource_text() + "detection:\n" + detection();
    if (choices_.one_in(300)) out += "  timeframe: 5m\n";
    return out;
  }

  std::string filters(std::size_t rules) {
    std::string out = "---\ntitle: A filter\n";
    if (choices_.one_in(3)) out += logsource_text();
    out += "filter:\n  rules: ";
    const std::string index = std::to_string(choices_.below(rules));
    switch (choices_.below(4)) {
      case 0:
        out += "any\n";
        break;
      case 1:
        out += choices_.one_in(40) ? "[rule-" + index + ", name-" + index + "]\n"
                                   : "rule-" + index + "\n";
        break;
      case 2:
        out += "[rule-" + index + ", rule-" + std::to_string(choices_.below(rules)) + "]\n";
        break;
      default:
        out += choices_.one_in(20) ? "[rule-" + index + ", nobody]\n" : "[rule-" + index + "]\n";
        break;
    }
    // A filter's wish would undo the wishes of the rules, so events seldom grant it.
    const std::size_t wishes = wishes_.size();
    out += detection();
    if (!choices_.one_in(4)) wishes_.resize(wishes);
    return out;
  }

  // ---- Selections.

  std::string detection() {
    static const Names names{"selection", "sel_a",  "sel_b",    "filter",
                             "_hidden",   "_hid_2", "filter_b", "keywords"};
    names_.clear();
    std::string out;
    const std::size_t count = 1 + choices_.below(4);
    for (std::size_t i = 0; i < count; ++i) {
      // The first begins with no underscore, so that `them` always means something.
      const std::string& name = names[choices_.below(i == 0 ? 4 : names.size())];
      if (std::ranges::find(names_, name) != names_.end()) continue;
      names_.push_back(name);
      out += "  " + name + ": " + selection() + "\n";
    }
    return out + "  condition: " + condition_text() + "\n";
  }

  std::string selection() {
    wishes_.emplace_back();
    const std::size_t kind = choices_.below(10);
    if (kind < 6) return map();
    Names items;
    const std::size_t count = choices_.one_in(30) ? 20 : 1 + choices_.below(3);
    if (kind == 6 && !choices_.one_in(400)) {
      for (std::size_t i = 0; i < count; ++i) items.push_back(keyword());
    } else if (kind > 6) {
      for (std::size_t i = 0; i < count; ++i) {
        items.push_back(kind == 9 && choices_.one_in(2) ? keyword() : map());
      }
    }
    std::string out;
    for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
    return "[" + out + "]";
  }

  std::string keyword() { return granted(make_keyword(choices_, vocabulary_)).value; }

  std::string map() {
    std::set<std::string> names;
    std::string out;
    const std::size_t count = 1 + choices_.below(6) / 2;
    for (std::size_t i = 0; i < count; ++i) {
      const Line line = granted(choices_.one_in(250) ? make_unlawful_line(choices_, vocabulary_)
                                : choices_.one_in(9) ? make_keyword_line(choices_, vocabulary_)
                                                     : make_line(choices_, vocabulary_));
      // However it is quoted, a name stands once in a map.
      std::string bare = line.name;
      std::erase_if(bare, [](char c) { return c == '\'' || c == '"'; });
      if (!names.insert(bare).second) continue;
      out += (out.empty() ? "" : ", ") + line.name + ": " + line.value;
    }
    return "{" + out + "}";
  }

  Line granted(Line line) {
    for (const Hint& hint : line.hints) wishes_.back().push_back(hint);
    return line;
  }

  // ---- Conditions.

  std::string condition_text() {
    if (!choices_.one_in(8)) return "'" + condition(choices_.below(5)) + "'";
    const std::string first = condition(choices_.below(3));
    return "['" + first + "', '" + condition(choices_.below(3)) + "']";
  }

  std::string word(const std::string& lower) {
    if (!choices_.one_in(8)) return lower;
    std::string upper = lower;
    for (char& c : upper) c = static_cast<char>(c & ~0x20);
    return upper;
  }

  std::string condition(std::size_t depth) {
    if (depth == 0) return one();
    const std::size_t kind = choices_.below(6);
    if (kind == 0) return one();
    if (kind == 1) {
      const std::string negation = word("not");
      return negation + " " + condition(depth - 1);
    }
    const std::string left = condition(depth - 1);
    if (kind == 5) return "(" + left + ")";
    const std::string joint = word(kind == 4 ? "or" : "and");
    return left + " " + joint + " " + condition(depth - 1);
  }

  std::string one() {
    static const Names wrong{"nobody", "1 of none*", "2 of them", "1 of", "a | count() > 1", "()"};
    if (choices_.one_in(300)) return choices_.of(wrong);
    if (!choices_.one_in(3)) return choices_.of(names_);
    const std::string how = choices_.one_in(2)   ? word("all")
                            : choices_.one_in(3) ? word("any")
                                                 : std::string("1");
    const std::string of = word("of");
    return how + " " + of + " " + names_pattern();
  }

  // A pattern that means the selection that it was made from, at least.
  std::string names_pattern() {
    if (choices_.one_in(3)) return word("them");
    const std::string name = choices_.of(names_);
    const bool hidden = name.starts_with('_');
    const std::size_t at =
        hidden ? 1 + choices_.below(name.size()) : choices_.below(name.size() + 1);
    switch (choices_.below(3)) {
      case 0:
        return name.substr(0, at) + "*";
      case 1:
        return hidden ? name + "*" : "*" + name.substr(at);
      default:
        return name.substr(0, at) + "*" +
               name.substr(std::min(name.size(), at + choices_.below(3)));
    }
  }

  // ---- Events.

  Event event() {
    Event made;
    made.logsource = choices_.one_in(12) ? choices_.of(logsources()) : logsource_;
    made.logsource.service = any_case(made.logsource.service);
    std::string raw;
    if (!wishes_.empty()) {
      const std::size_t granted = choices_.below(5);
      for (std::size_t i = 0; i < granted; ++i) grant(choices_.of(wishes_), made, raw);
    }
    for (const std::string& field : vocabulary_.fields) noise(field, made);
    if (choices_.one_in(3)) raw += choices_.of(vocabulary_.words);
    made.raw = raw;
    if (choices_.one_in(3)) attributes(made);
    return made;
  }

  void grant(const Wish& wish, Event& into, std::string& raw) {
    for (const Hint& hint : wish) {
      std::string value = hint.value;
      if (choices_.one_in(12)) value = spoiled(value);
      if (!hint.field.empty()) {
        add(hint.field, value, into);
      } else if (choices_.one_in(2)) {
        raw = value;
      } else {
        add(choices_.of(vocabulary_.fields), value, into);
      }
    }
  }

  std::string spoiled(const std::string& value) {
    switch (choices_.below(6)) {
      case 0:
        return value + " ";
      case 1:
        return "x" + value;
      case 2:
        return value.substr(0, choices_.below(value.size() + 1));
      case 3:
        return value + choices_.of(ill_formed_texts());
      case 4:
        return choices_.of(ill_formed_texts()) + value;
      default:
        return value + value;
    }
  }

  void noise(const std::string& field, Event& into) {
    const std::size_t kind = choices_.below(24);
    if (kind < 13) return;
    if (kind < 18) {
      add(field, choices_.of(vocabulary_.words), into);
    } else if (kind == 18) {
      const std::string first = choices_.of(vocabulary_.words);
      add(field, first + choices_.of(vocabulary_.words), into);
    } else if (kind == 19) {
      add(field, choices_.of(numbers()), into);
    } else if (kind == 20) {
      into.fields.add(field, "", FieldKind::null);
    } else if (kind == 21) {
      into.fields.add(field, "");
    } else if (kind == 22) {
      into.fields.add(field, choices_.one_in(2) ? "true" : "false", FieldKind::boolean);
    } else {
      add(field, choices_.of(ill_formed_texts()), into);
    }
  }

  void add(std::string field, const std::string& value, Event& into) {
    if (choices_.one_in(20)) field.insert(choices_.below(field.size() + 1), " ");
    FieldKind kind = FieldKind::string;
    if (oracle::number_of(value) && !choices_.one_in(2)) kind = FieldKind::number;
    if (value == "true" || value == "false") kind = FieldKind::boolean;
    into.fields.add(field, value, kind);
  }

  void attributes(Event& into) {
    into.ocsf.user = choices_.of(vocabulary_.words);
    if (choices_.one_in(2)) into.ocsf.src_ip = choices_.one_in(2) ? "::ffff:10.1.2.3" : "192.0.2.1";
    if (choices_.one_in(2)) into.ocsf.actor_user = choices_.of(vocabulary_.words);
    if (choices_.one_in(2)) into.ocsf.class_uid = ocsf_class::authentication;
    if (choices_.one_in(2)) into.ocsf.email_to = choices_.of(vocabulary_.words);
  }

  Choices& choices_;
  Vocabulary vocabulary_;
  Logsource logsource_;
  std::vector<Wish> wishes_;
  Names names_;  // of the selections so far
};

}  // namespace

Choices Choices::of_seed(std::uint64_t seed) {
  const auto engine = std::make_shared<std::mt19937_64>(seed);
  return Choices([engine](std::size_t) { return static_cast<std::size_t>((*engine)() >> 16); });
}

Choices Choices::of_bytes(std::span<const std::uint8_t> bytes) {
  const auto left = std::make_shared<std::span<const std::uint8_t>>(bytes);
  const auto next = [left]() -> std::size_t {
    if (left->empty()) return 0;
    const std::uint8_t byte = left->front();
    *left = left->subspan(1);
    return byte;
  };
  return Choices([next](std::size_t n) {
    const std::size_t first = next();
    return n > 256 ? first * 256 + next() : first;
  });
}

Case make_case(Choices& choices) {
  return Maker(choices).make();
}

}  // namespace mailwarden::random_rules
