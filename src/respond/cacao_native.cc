#include "respond/cacao_native.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "respond/value_type.h"

namespace mailwarden::respond::cacao {
namespace {

using namespace flow;
using json::Value;
using Texts = std::map<std::string, std::string, std::less<>>;

constexpr std::array kinds{
    std::pair{StepKind::notify, std::string_view("notify")},
    std::pair{StepKind::command, std::string_view("command")},
    std::pair{StepKind::http, std::string_view("http")},
    std::pair{StepKind::action, std::string_view("action")},
    std::pair{StepKind::manual, std::string_view("manual")},
    std::pair{StepKind::approval, std::string_view("approval")},
    std::pair{StepKind::wait, std::string_view("wait")},
    std::pair{StepKind::if_condition, std::string_view("if_condition")},
    std::pair{StepKind::switch_condition, std::string_view("switch_condition")},
    std::pair{StepKind::while_condition, std::string_view("while_condition")},
    std::pair{StepKind::parallel, std::string_view("parallel")},
    std::pair{StepKind::playbook, std::string_view("playbook")}};

std::unexpected<Error> wrong(std::string_view what) {
  return fail(Code::invalid, std::string(what) + " was expected");
}

// How one member of a T is written and read.
template <class T>
struct Field {
  std::string_view name;
  Value (*get)(const T&);
  Result<void> (*set)(T&, const Value&);
};

Value write(const Operation& operation);
Value write(const Variable& variable);
Value write(const Retry& retry);
Value write(const Rate& rate);
Value write(const std::optional<When>& when);
Value write(const std::optional<Operation>& operation);
Value write(const std::optional<Probe>& probe);
Result<void> read(const Value& value, Operation& out);
Result<void> read(const Value& value, Variable& out);
Result<void> read(const Value& value, Retry& out);
Result<void> read(const Value& value, Rate& out);
Result<void> read(const Value& value, std::optional<When>& out);
Result<void> read(const Value& value, std::optional<Operation>& out);
Result<void> read(const Value& value, std::optional<Probe>& out);

Value write(bool truth) {
  return truth;
}
Value write(std::int64_t number) {
  return number;
}
Value write(const std::string& text) {
  return text;
}
Value write(Duration duration) {
  return std::int64_t{duration.count()};
}
Value write(StepKind kind) {
  return kind_name(kind);
}
Value write(VariableType type) {
  return respond::to_string(type);
}
Value write(incident::Severity severity) {
  return std::int64_t{static_cast<std::uint8_t>(severity)};
}
Value write(const Value& value) {
  return value;
}
Value write(const json::Object& members) {
  return members;
}
Value write(const std::vector<std::string>& texts) {
  return json::Array(texts.begin(), texts.end());
}
Value write(const std::set<std::string>& texts) {
  return json::Array(texts.begin(), texts.end());
}
Value write(const Texts& texts) {
  return json::Object(texts.begin(), texts.end());
}
Value write(const Variables& variables) {
  json::Object members;
  for (const auto& [name, variable] : variables) members[name] = write(variable);
  return members;
}

template <class T>
Value write_members(const T& from, std::span<const Field<T>> fields) {
  json::Object members;
  const T usual{};
  for (const Field<T>& field : fields) {
    Value value = field.get(from);
    if (value != field.get(usual)) members[std::string(field.name)] = std::move(value);
  }
  return members;
}

Result<void> read(const Value& value, bool& out) {
  if (value.as_bool() == nullptr) return wrong("true or false");
  out = *value.as_bool();
  return {};
}
Result<void> read(const Value& value, std::int64_t& out) {
  if (value.as_integer() == nullptr) return wrong("a whole number");
  out = *value.as_integer();
  return {};
}
Result<void> read(const Value& value, std::string& out) {
  if (value.as_string() == nullptr) return wrong("a text");
  out = *value.as_string();
  return {};
}
Result<void> read(const Value& value, Duration& out) {
  constexpr std::int64_t most = Duration(std::chrono::days(36'500)).count();
  const std::int64_t* microseconds = value.as_integer();
  if (microseconds == nullptr || *microseconds < 0 || *microseconds > most) {
    return wrong("a time in microseconds, up to a hundred years,");
  }
  out = Duration(*microseconds);
  return {};
}
Result<void> read(const Value& value, StepKind& out) {
  const std::string* name = value.as_string();
  if (name == nullptr) return wrong("a kind of step");
  const auto* const found = std::ranges::find(kinds, std::string_view(*name),
                                              [](const auto& kind) { return kind.second; });
  if (found == kinds.end()) return wrong("a kind of step");
  out = found->first;
  return {};
}
Result<void> read(const Value& value, VariableType& out) {
  const auto type =
      value.as_string() == nullptr ? std::nullopt : parse_variable_type(*value.as_string());
  if (!type) return wrong("a type of variables");
  out = *type;
  return {};
}
Result<void> read(const Value& value, incident::Severity& out) {
  const std::int64_t* severity = value.as_integer();
  if (severity == nullptr || *severity < 0 || *severity > 3) return wrong("a severity, 0 to 3,");
  out = static_cast<incident::Severity>(*severity);
  return {};
}
Result<void> read(const Value& value, Value& out) {
  out = value;
  return {};
}
Result<void> read(const Value& value, json::Object& out) {
  if (value.as_object() == nullptr) return wrong("an object");
  out = *value.as_object();
  return {};
}
Result<void> read(const Value& value, std::vector<std::string>& out) {
  if (value.as_array() == nullptr) return wrong("a list of texts");
  out.clear();
  for (const Value& item : *value.as_array()) {
    if (auto good = read(item, out.emplace_back()); !good) return good;
  }
  return {};
}
Result<void> read(const Value& value, std::set<std::string>& out) {
  std::vector<std::string> texts;
  if (auto good = read(value, texts); !good) return good;
  out = {texts.begin(), texts.end()};
  return {};
}
template <class T>
Result<void> read(const Value& value, std::map<std::string, T, std::less<>>& out) {
  if (value.as_object() == nullptr) return wrong("an object");
  out.clear();
  for (const auto& [name, member] : *value.as_object()) {
    if (auto good = read(member, out[name]); !good) return fail(name, good.error());
  }
  return {};
}

template <class T>
Result<void> set_members(T& out, const json::Object& members, std::span<const Field<T>> fields) {
  for (const auto& [name, value] : members) {
    const auto field = std::ranges::find(fields, name, &Field<T>::name);
    if (field == fields.end()) return fail(Code::invalid, name + ": is no member of this");
    if (auto good = field->set(out, value); !good) return fail(name, good.error());
  }
  return {};
}

template <class T>
Result<void> read_members(const Value& value, T& out, std::span<const Field<T>> fields) {
  if (value.as_object() == nullptr) return wrong("an object");
  out = T{};
  return set_members(out, *value.as_object(), fields);
}

template <class M>
struct OwnerOf;
template <class T, class M>
struct OwnerOf<M T::*> {
  using type = T;
};

template <auto member>
constexpr auto field(std::string_view name) {
  using T = OwnerOf<decltype(member)>::type;
  return Field<T>{name, [](const T& from) { return write(from.*member); },
                  [](T& out, const Value& value) { return read(value, out.*member); }};
}

constexpr std::array retry_fields{field<&Retry::tries>("tries"), field<&Retry::pause>("pause"),
                                  field<&Retry::pause_max>("pause_max")};
constexpr std::array rate_fields{field<&Rate::times>("times"), field<&Rate::per>("per")};
constexpr std::array when_fields{field<&When::rules>("rules"), field<&When::types>("types"),
                                 field<&When::severity_from>("severity_from")};
constexpr std::array operation_fields{
    field<&Operation::kind>("kind"),           field<&Operation::to>("receivers"),
    field<&Operation::text>("text"),           field<&Operation::command>("command"),
    field<&Operation::method>("method"),       field<&Operation::url>("url"),
    field<&Operation::headers>("headers"),     field<&Operation::body>("body"),
    field<&Operation::sign_with>("sign_with"), field<&Operation::action>("action"),
    field<&Operation::arguments>("arguments"), field<&Operation::time_out>("time_out")};
constexpr std::array variable_fields{
    field<&Variable::type>("type"),         field<&Variable::meaning>("meaning"),
    field<&Variable::value>("value"),       field<&Variable::constant>("constant"),
    field<&Variable::external>("external"), field<&Variable::from>("from")};

Value write(const Operation& operation) {
  return write_members<Operation>(operation, operation_fields);
}
Value write(const Variable& variable) {
  return write_members<Variable>(variable, variable_fields);
}
Value write(const Retry& retry) {
  return write_members<Retry>(retry, retry_fields);
}
Value write(const Rate& rate) {
  return write_members<Rate>(rate, rate_fields);
}
Value write(const std::optional<When>& when) {
  return when ? write_members<When>(*when, when_fields) : Value();
}
Value write(const std::optional<Operation>& operation) {
  return operation ? write(*operation) : Value();
}
Value write(const std::optional<Probe>& probe) {
  if (!probe) return {};
  return json::Object{{"operation", write(probe->operation)}, {"holds", probe->holds}};
}

Result<void> read(const Value& value, Operation& out) {
  return read_members<Operation>(value, out, operation_fields);
}
Result<void> read(const Value& value, Variable& out) {
  return read_members<Variable>(value, out, variable_fields);
}
Result<void> read(const Value& value, Retry& out) {
  return read_members<Retry>(value, out, retry_fields);
}
Result<void> read(const Value& value, Rate& out) {
  return read_members<Rate>(value, out, rate_fields);
}
Result<void> read(const Value& value, std::optional<When>& out) {
  out.reset();
  if (value.is_null()) return {};
  return read_members<When>(value, out.emplace(), when_fields);
}
Result<void> read(const Value& value, std::optional<Operation>& out) {
  out.reset();
  return value.is_null() ? Result<void>() : read(value, out.emplace());
}
Result<void> read(const Value& value, std::optional<Probe>& out) {
  out.reset();
  if (value.is_null()) return {};
  if (value.as_object() == nullptr || value["holds"].as_string() == nullptr) {
    return wrong("an object with operation and holds");
  }
  out.emplace().holds = value.text("holds");
  return read(value["operation"], out->operation);
}

constexpr std::array step_fields{field<&Step::id>("step_id"),
                                 field<&Step::kind>("kind"),
                                 field<&Step::name>("name"),
                                 field<&Step::description>("description"),
                                 field<&Step::next>("next"),
                                 field<&Step::on_failure>("on_failure"),
                                 field<&Step::go_on>("go_on"),
                                 field<&Step::delay>("delay"),
                                 field<&Step::approval>("approval"),
                                 field<&Step::operation>("operation"),
                                 field<&Step::repeatable>("repeatable"),
                                 field<&Step::probe>("probe"),
                                 field<&Step::undo>("undo"),
                                 field<&Step::retry>("retry"),
                                 field<&Step::rate>("rate"),
                                 field<&Step::set>("set"),
                                 field<&Step::text>("text"),
                                 field<&Step::within>("within"),
                                 field<&Step::wait>("wait"),
                                 field<&Step::condition>("condition"),
                                 field<&Step::then>("then"),
                                 field<&Step::otherwise>("otherwise"),
                                 field<&Step::cases>("cases"),
                                 field<&Step::default_case>("default_case"),
                                 field<&Step::rounds_max>("rounds_max"),
                                 field<&Step::branches>("branches"),
                                 field<&Step::playbook>("playbook"),
                                 field<&Step::with>("with"),
                                 field<&Step::cacao>("cacao")};
constexpr std::array playbook_fields{field<&Playbook::name>("name"),
                                     field<&Playbook::title>("title"),
                                     field<&Playbook::description>("description"),
                                     field<&Playbook::when>("when"),
                                     field<&Playbook::dry_run>("dry_run"),
                                     field<&Playbook::undo_on_failure>("undo_on_failure"),
                                     field<&Playbook::on_failure>("on_failure"),
                                     field<&Playbook::rate>("rate"),
                                     field<&Playbook::variables>("variables"),
                                     field<&Playbook::start>("start"),
                                     field<&Playbook::order>("order"),
                                     field<&Playbook::cacao>("cacao")};

template <class T>
json::Object differing(const T& from, const T& to, std::span<const Field<T>> fields) {
  json::Object members;
  for (const Field<T>& field : fields) {
    Value value = field.get(to);
    if (value != field.get(from)) members[std::string(field.name)] = std::move(value);
  }
  return members;
}

}  // namespace

std::string_view kind_name(StepKind kind) {
  return std::ranges::find(kinds, kind, [](const auto& row) { return row.first; })->second;
}

json::Object members_of(const Playbook& playbook) {
  json::Object members = *write_members<Playbook>(playbook, playbook_fields).as_object();
  json::Object steps;
  for (const auto& [id, step] : playbook.steps) {
    steps[id] = write_members<Step>(step, step_fields);
  }
  members["steps"] = std::move(steps);
  return members;
}

json::Object difference(const Step& from, const Step& to) {
  return differing<Step>(from, to, step_fields);
}

json::Object difference(const Playbook& from, const Playbook& to) {
  return differing<Playbook>(from, to, playbook_fields);
}

Result<void> set(Step& step, const json::Object& members) {
  return set_members<Step>(step, members, step_fields);
}

Result<void> set(Playbook& playbook, const json::Object& members) {
  return set_members<Playbook>(playbook, members, playbook_fields);
}

}  // namespace mailwarden::respond::cacao
