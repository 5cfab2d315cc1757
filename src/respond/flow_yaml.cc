// Writes a playbook as the file that is read as the same.
#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "respond/flow_file.h"
#include "respond/flow_words.h"
#include "respond/value_type.h"

namespace mailwarden::respond::flow {
namespace {

using Position = std::map<std::string, std::size_t, std::less<>>;

// The steps of a branch, each before those that may follow it, else by their place in the playbook.
class Branch {
 public:
  Branch(const Playbook& playbook, const Position& position)
      : playbook_(playbook), position_(position) {}

  std::vector<std::string> steps(const std::string& first) {
    gather(first);
    std::vector<std::string> sorted;
    std::map<std::string, std::size_t, std::less<>> before;  // steps that must come first
    for (const std::string& id : members_) {
      for (const std::string& after : followers(id)) ++before[after];
    }
    while (sorted.size() < members_.size()) {
      const std::string* const next = foremost(sorted, before);
      if (next == nullptr) break;  // a circle
      sorted.push_back(*next);
      for (const std::string& after : followers(sorted.back())) --before[after];
    }
    return sorted;
  }

 private:
  void gather(const std::string& first) {
    std::vector<std::string> open{first};
    while (!open.empty()) {
      const std::string id = open.back();
      open.pop_back();
      if (!playbook_.steps.contains(id) || !members_.insert(id).second) continue;
      for (const std::string& after : followers(id)) open.push_back(after);
    }
  }

  std::set<std::string> followers(const std::string& id) const {
    const Step& step = playbook_.steps.find(id)->second;
    std::set<std::string> found;
    for (const std::string& after : {step.next, step.on_failure}) {
      if (playbook_.steps.contains(after)) found.insert(after);
    }
    return found;
  }

  const std::string* foremost(const std::vector<std::string>& sorted, const Position& before) {
    const std::string* best = nullptr;
    for (const std::string& id : members_) {
      const auto found = before.find(id);
      if (found != before.end() && found->second > 0) continue;
      if (std::ranges::find(sorted, id) != sorted.end()) continue;
      if (best == nullptr || place(id) < place(*best)) best = &id;
    }
    return best;
  }

  std::pair<std::size_t, std::string> place(const std::string& id) const {
    const auto found = position_.find(id);
    return {found == position_.end() ? position_.size() : found->second, id};
  }

  const Playbook& playbook_;
  const Position& position_;
  std::set<std::string> members_;
};

Position positions_of(const Playbook& playbook) {
  Position position;
  for (const std::string& id : playbook.order) position.emplace(id, position.size());
  return position;
}

bool is_plain(std::string_view text) {
  constexpr std::array words{"true", "false", "null", "yes", "no", "on", "off", "nan", "inf"};
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '/' || c == '.';
  };
  const bool letter = !text.empty() && (to_lower(text[0]) >= 'a' && to_lower(text[0]) <= 'z');
  return (letter || text.starts_with('/')) && std::ranges::all_of(text, fits) &&
         std::ranges::find(words, to_lower(text)) == words.end();
}

std::string scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted;
  json::append_string(quoted, text);
  return quoted;
}

// In YAML's flow style, which is JSON but for plain words.
std::string inline_value(const json::Value& value) {
  std::string text;
  if (const auto* string = value.as_string()) return scalar(*string);
  if (const auto* items = value.as_array()) {
    for (const json::Value& item : *items) text += (text.empty() ? "" : ", ") + inline_value(item);
    return "[" + text + "]";
  }
  if (const auto* members = value.as_object()) {
    for (const auto& [name, item] : *members) {
      text += (text.empty() ? "" : ", ") + scalar(name) + ": " + inline_value(item);
    }
    return "{" + text + "}";
  }
  text = json::to_text(value);
  const bool whole = value.as_number() != nullptr && text.find_first_of(".e") == std::string::npos;
  return whole ? text + ".0" : text;
}

json::Array to_array(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

json::Object to_object(const std::map<std::string, std::string, std::less<>>& texts) {
  return {texts.begin(), texts.end()};
}

class Writer {
 public:
  explicit Writer(const Playbook& playbook)
      : playbook_(playbook), position_(positions_of(playbook)) {}

  std::string run() {
    member("name", playbook_.name);
    member("title", playbook_.title);
    text("description", playbook_.description);
    if (playbook_.when) when(*playbook_.when);
    truth("dry_run", playbook_.dry_run);
    truth("undo_on_failure", playbook_.undo_on_failure);
    rate(playbook_.rate);
    variables();
    line("steps:");
    branch(playbook_.start);
    if (!playbook_.on_failure.empty()) {
      line("on_failure:");
      branch(playbook_.on_failure);
    }
    object("cacao", playbook_.cacao);
    return std::move(out_);
  }
  const std::vector<std::string>& written() const { return written_; }
  // A step that stands in two branches; "" where there is none.
  const std::string& twice() const { return twice_; }

 private:
  void line(const std::string& what) {
    out_.append(indent_, ' ');
    // The first line of an item stands behind its dash.
    if (item_) out_.replace(out_.size() - 2, 2, "- ");
    item_ = false;
    out_ += what + "\n";
  }
  void member(std::string_view name, const json::Value& value) {
    line(scalar(name) + ": " + inline_value(value));
  }
  void text(std::string_view name, const std::string& value) {
    if (!value.empty()) member(name, value);
  }
  void truth(std::string_view name, bool value) {
    if (value) member(name, true);
  }
  void time(std::string_view name, Duration value) {
    if (value != Duration(0)) line(std::string(name) + ": " + duration_text(value));
  }
  void object(std::string_view name, const json::Object& value) {
    if (!value.empty()) member(name, value);
  }

  void when(const When& when) {
    json::Object said{{"severity_from", static_cast<std::int64_t>(when.severity_from)}};
    for (const auto& [name, texts] : {std::pair{"rules", &when.rules}, {"types", &when.types}}) {
      if (!texts->empty()) said[name] = json::Array(texts->begin(), texts->end());
    }
    member("when", std::move(said));
  }

  void rate(const Rate& rate) {
    if (rate.times == 0) return;
    line("rate: {times: " + std::to_string(rate.times) + ", per: " + duration_text(rate.per) + "}");
  }

  void variables() {
    if (playbook_.variables.empty()) return;
    line("variables:");
    indent_ += 2;
    for (const auto& [name, variable] : playbook_.variables) {
      json::Object said{{"type", respond::to_string(variable.type)}};
      if (!variable.meaning.empty()) said["meaning"] = variable.meaning;
      if (!variable.from.empty()) said["from"] = variable.from;
      if (variable.constant) said["constant"] = true;
      if (variable.external) said["external"] = true;
      if (!variable.value.is_null()) said["value"] = variable.value;
      member(name, std::move(said));
    }
    indent_ -= 2;
  }

  void branch(const std::string& first) {
    indent_ += 4;
    const auto ids = Branch(playbook_, position_).steps(first);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (std::ranges::find(written_, ids[i]) != written_.end()) {
        twice_ = ids[i];
        continue;
      }
      written_.push_back(ids[i]);
      item_ = true;
      step(playbook_.steps.find(ids[i])->second, i + 1 < ids.size() ? ids[i + 1] : "");
    }
    indent_ -= 4;
  }

  void step(const Step& step, const std::string& following) {
    member("id", step.id);
    text("name", step.name);
    text("description", step.description);
    time("delay", step.delay);
    what(step);
    text("approval", step.approval);
    rate(step.rate);
    time("within", step.within);
    object("set", to_object(step.set));
    truth("go_on", step.go_on);
    text("on_failure", step.on_failure);
    if (step.next != following) {
      member("next", step.next.empty() ? std::string(end_of_branch) : step.next);
    }
    object("cacao", step.cacao);
    branches(step);
  }

  void what(const Step& step) {
    switch (step.kind) {
      case StepKind::notify:
      case StepKind::command:
      case StepKind::http:
      case StepKind::action:
        return doing(step);
      case StepKind::manual:
      case StepKind::approval:
        return member(word_of(step.kind), step.text);
      case StepKind::wait:
        return time("wait", step.wait);
      case StepKind::if_condition:
      case StepKind::switch_condition:
        return member(word_of(step.kind), step.condition);
      case StepKind::while_condition:
        member("while", step.condition);
        return member("at_most", step.rounds_max);
      case StepKind::playbook:
        member("playbook", step.playbook);
        return object("with", to_object(step.with));
      case StepKind::parallel:
        return;
    }
  }

  void doing(const Step& step) {
    operation(step.operation);
    if (step.repeatable != default_repeatable(step.kind)) member("repeatable", step.repeatable);
    if (step.retry != default_retry(step.kind)) {
      line("retry: {tries: " + std::to_string(step.retry.tries) +
           ", pause: " + duration_text(step.retry.pause) +
           ", pause_max: " + duration_text(step.retry.pause_max) + "}");
    }
    if (step.probe) {
      line("probe:");
      indent_ += 2;
      operation(step.probe->operation);
      member("holds", step.probe->holds);
      indent_ -= 2;
    }
    if (step.undo) {
      line("undo:");
      indent_ += 2;
      operation(*step.undo);
      indent_ -= 2;
    }
  }

  void operation(const Operation& operation) {
    switch (operation.kind) {
      case StepKind::notify:
        member("notify", to_array(operation.to));
        member("text", operation.text);
        break;
      case StepKind::command:
        member("command", to_array(operation.command));
        break;
      case StepKind::http:
        member("http", operation.method);
        member("url", operation.url);
        object("headers", operation.headers);
        if (!operation.body.is_null()) member("body", operation.body);
        text("sign_with", operation.sign_with);
        break;
      default:
        member("action", operation.action);
        object("with", operation.arguments);
        break;
    }
    if (operation.time_out != Operation().time_out) time("time_out", operation.time_out);
  }

  void branches(const Step& step) {
    const auto under = [&](std::string_view name, const std::string& first) {
      if (first.empty()) return;
      line(scalar(name) + ":");
      branch(first);
    };
    switch (step.kind) {
      case StepKind::if_condition:
        under("then", step.then);
        return under("else", step.otherwise);
      case StepKind::while_condition:
        return under("do", step.then);
      case StepKind::switch_condition:
        line("cases:");
        indent_ += 2;
        for (const auto& [text, first] : cases_in_order(step)) under(text, first);
        indent_ -= 2;
        return under("default", step.default_case);
      case StepKind::parallel:
        return parallel(step);
      default:
        return;
    }
  }

  void parallel(const Step& step) {
    line("parallel:");
    indent_ += 2;
    for (const std::string& first : step.branches) {
      line("-");
      branch(first);
    }
    indent_ -= 2;
  }

  std::vector<std::pair<std::string, std::string>> cases_in_order(const Step& step) const {
    std::vector<std::pair<std::string, std::string>> cases(step.cases.begin(), step.cases.end());
    std::ranges::stable_sort(cases, {}, [&](const auto& one) {
      const auto found = position_.find(one.second);
      return found == position_.end() ? position_.size() : found->second;
    });
    return cases;
  }

  const Playbook& playbook_;
  const Position position_;
  std::string out_;
  std::vector<std::string> written_;
  std::string twice_;
  std::size_t indent_ = 0;
  bool item_ = false;
};

}  // namespace

Result<std::string> to_yaml(const Playbook& playbook) {
  Writer writer(playbook);
  std::string text = writer.run();
  if (!writer.twice().empty()) {
    return fail(Code::invalid, "the step '" + writer.twice() + "' stands in two branches");
  }
  for (const auto& [id, step] : playbook.steps) {
    if (std::ranges::find(writer.written(), id) != writer.written().end()) continue;
    return fail(Code::invalid, "the step '" + id + "' is in no branch");
  }
  return text;
}

std::vector<std::string> file_order(const Playbook& playbook) {
  Writer writer(playbook);
  static_cast<void>(writer.run());
  return writer.written();
}

}  // namespace mailwarden::respond::flow
