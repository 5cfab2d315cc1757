// What one step of a CACAO workflow does, as a step of ours.
//
// The daemon runs executables of its own host, asks HTTP APIs and asks people. Everything else that
// CACAO has commands for becomes a question to a person, with the command in it.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "json/base64.h"
#include "respond/cacao_condition.h"
#include "respond/cacao_kept.h"
#include "respond/cacao_reading.h"

namespace mailwarden::respond::cacao {
namespace {

using namespace flow;
using json::Object;
using json::Value;

constexpr std::int64_t milliseconds_max =
    std::chrono::milliseconds(std::chrono::days(36'500)).count();  // what is too long check() tells
constexpr std::int64_t rounds_usual = 100;                         // where CACAO sets no limit
constexpr std::size_t commands_max = 20;

Duration duration_of(Reading& reading, const Value& object, std::string_view name,
                     const std::string& pointer, Duration usual) {
  const Value& value = object[name];
  if (value.is_null()) return usual;
  const std::int64_t* const milliseconds = value.as_integer();
  if (milliseconds == nullptr || *milliseconds < 0 || *milliseconds > milliseconds_max) {
    reading.mistake(below(pointer, name),
                    "must be milliseconds, 0 to " + std::to_string(milliseconds_max));
    return usual;
  }
  return std::chrono::milliseconds(*milliseconds);
}

std::vector<std::string> texts_of(Reading& reading, const Value& object, std::string_view name,
                                  const std::string& pointer) {
  std::vector<std::string> out;
  const Value& value = object[name];
  if (value.is_null()) return out;
  const auto wrong = [&] { reading.mistake(below(pointer, name), "must be a list of texts"); };
  if (value.as_array() == nullptr) {
    wrong();
    return out;
  }
  for (const Value& item : *value.as_array()) {
    if (item.as_string() == nullptr) {
      wrong();
      return out;
    }
    out.push_back(*item.as_string());
  }
  return out;
}

// The text of a command, whichever member holds it; nothing where there is none.
std::optional<std::string> command_text(Reading& reading, const Value& command,
                                        std::string_view name, const std::string& pointer) {
  if (!command[name].is_null()) return text_of(reading, command, name, pointer);
  const std::string encoded_name = std::string(name) + "_b64";
  if (command[encoded_name].is_null()) return std::nullopt;
  auto text = json::from_base64(text_of(reading, command, encoded_name, pointer));
  if (!text) {
    reading.mistake(below(pointer, encoded_name), text.error().what);
    return std::nullopt;
  }
  // Bytes that are no text cannot be shown, and are kept as they stand.
  return is_utf8(*text) ? *text : json::to_base64(*text);
}

class StepReader {
 public:
  StepReader(Reading& reading, const Value& object, const std::string& pointer,
             const VariableNames& names, Step& step)
      : reading_(reading), object_(object), at_(pointer), names_(names), step_(step) {}

  void read() {
    step_.name = text_of(reading_, object_, "name", at_);
    step_.description = text_of(reading_, object_, "description", at_);
    step_.delay = duration_of(reading_, object_, "delay", at_, Duration{});
    const std::string type = object_.text("type");
    if (type == "action") {
      read_action();
    } else if (type == "playbook-action") {
      read_playbook();
    } else if (type == "parallel") {
      step_.kind = StepKind::parallel;
    } else if (type == "if-condition") {
      step_.kind = StepKind::if_condition;
      read_condition();
    } else if (type == "while-condition") {
      step_.kind = StepKind::while_condition;
      step_.rounds_max = rounds_usual;
      read_condition();
      reading_.note(at_, "goes round " + std::to_string(rounds_usual) +
                             " times at the most, since nothing says how often");
    } else {
      step_.kind = StepKind::switch_condition;
      step_.condition = native(text_of(reading_, object_, "switch", at_, true), "switch");
    }
  }

 private:
  std::string native(const std::string& text, std::string_view member) {
    for (const std::string& name : undeclared(text, names_)) {
      reading_.note(below(at_, member), "nothing declares " + name + "; it stays a text");
    }
    return to_native_text(text, names_);
  }

  void read_condition() {
    const std::string pattern = text_of(reading_, object_, "condition", at_, true);
    if (pattern.empty()) return;
    auto condition = to_native(pattern, names_, reading_.playbook.variables);
    if (condition) {
      step_.condition = *std::move(condition);
    } else {
      reading_.mistake(below(at_, "condition"), condition.error().what);
    }
  }

  // Each of the variables that the step gives values, from what it answers.
  void read_results(std::string_view answer) {
    for (const std::string& name : texts_of(reading_, object_, "out_args", at_)) {
      const std::string known = names_.native(name);
      if (known.empty()) {
        reading_.note(below(at_, "out_args"), "nothing declares " + printable(name));
      } else {
        step_.set[known] = answer;
      }
    }
  }

  void read_playbook() {
    step_.kind = StepKind::playbook;
    step_.playbook = text_of(reading_, object_, "playbook_id", at_, true);
    if (!step_.playbook.empty()) {
      reading_.note(
          below(at_, "playbook_id"),
          "put the name of that playbook here in the place of " + printable(step_.playbook));
    }
    for (const std::string& name : texts_of(reading_, object_, "in_args", at_)) {
      const std::string known = names_.native(name);
      if (known.empty() || !is_cacao_name(name)) {
        reading_.note(below(at_, "in_args"), "nothing declares " + printable(name));
      } else {
        step_.with[name.substr(2, name.size() - 4)] = "${" + known + "}";
      }
    }
    for (const std::string& name : texts_of(reading_, object_, "out_args", at_)) {
      const std::string known = names_.native(name);
      if (known.empty() || !is_cacao_name(name)) {
        reading_.note(below(at_, "out_args"), "nothing declares " + printable(name));
      } else {
        step_.set[known] = name.substr(2, name.size() - 4);
      }
    }
  }

  void read_action() {
    const std::string at = below(at_, "commands");
    const json::Array* commands = object_["commands"].as_array();
    if (commands == nullptr || commands->empty() || commands->size() > commands_max) {
      return reading_.mistake(
          at, "must be a list of 1 to " + std::to_string(commands_max) + " commands");
    }
    for (std::size_t i = 0; i < commands->size(); ++i) {
      const std::string place = below(at, std::to_string(i));
      if ((*commands)[i].as_object() == nullptr) {
        return reading_.mistake(place, "must be an object");
      }
      if (text_of(reading_, (*commands)[i], "type", place, true).empty()) return;
    }
    const std::size_t first = takes_approval(*commands, at) ? 1 : 0;
    if (commands->size() - first == 1) {
      read_command((*commands)[first], below(at, std::to_string(first)));
    } else {
      ask_for(*commands, at, "several commands are one step for a person");
    }
  }

  // An approval stands before the command that it is for.
  bool takes_approval(const json::Array& commands, const std::string& at) {
    if (commands.size() != 2 || commands[0].text("type") != "manual") return false;
    const auto text = command_text(reading_, commands[0], "command", below(at, "0"));
    if (!text || !text->starts_with(approval_words)) return false;
    step_.approval = native(text->substr(approval_words.size()), "commands");
    return true;
  }

  void read_command(const Value& command, const std::string& at) {
    const std::string type = command.text("type");
    if (type == "manual") {
      const auto text = command_text(reading_, command, "command", at);
      if (!text) return reading_.mistake(at, "has neither command nor command_b64");
      as_manual(native(*text, "commands"));
    } else if (type == "bash") {
      read_bash(command, at);
    } else if (type == "http-api") {
      read_http(command, at);
    } else {
      ask_for({command}, at, "the daemon does no '" + printable(type) + "'; a person does");
    }
  }

  void as_manual(std::string text) {
    step_.kind = StepKind::manual;
    step_.text = std::move(text);
    step_.within = duration_of(reading_, object_, "timeout", at_, Duration{});
    read_results("answer");
  }

  void as_operation(StepKind kind, std::string_view answer) {
    step_.kind = kind;
    step_.operation.kind = kind;
    step_.operation.time_out = duration_of(reading_, object_, "timeout", at_, Operation{}.time_out);
    read_results(answer);
  }

  // A person does what the commands say.
  void ask_for(const json::Array& commands, const std::string& at, const std::string& why) {
    std::string text;
    for (const Value& command : commands) {
      text += (text.empty() ? "" : "\n\n") + shown(command, at);
    }
    as_manual(std::move(text));
    reading_.note(at, why);
  }

  // A command as a person needs it, each member that says something.
  std::string shown(const Value& command, const std::string& at) {
    std::string out = "Do by hand what this '" + printable(command.text("type")) + "' command says";
    const std::string whom = targets();
    if (!whom.empty()) out += ", on " + whom;
    out += ":\n";
    const auto text = command_text(reading_, command, "command", at);
    if (text) out += native(*text, "commands") + "\n";
    if (const Object* headers = command["headers"].as_object()) {
      for (const auto& [name, value] : *headers) {
        out += to_native_text(name + ": " + json::to_text(value), names_) + "\n";
      }
    }
    const auto content = command_text(reading_, command, "content", at);
    if (content) out += native(*content, "commands") + "\n";
    if (!text && !content) out += to_native_text(json::to_text(command), names_) + "\n";
    out.pop_back();
    return out;
  }

  std::string target_name(const std::string& id) const {
    for (const char* dictionary : {"target_definitions", "agent_definitions"}) {
      const std::string name = reading_.document[dictionary][id].text("name");
      if (!name.empty()) return to_native_text(name, names_);
    }
    return id;
  }

  std::string targets() {
    std::string out;
    for (const std::string& id : texts_of(reading_, object_, "targets", at_)) {
      out += (out.empty() ? "" : ", ") + target_name(id);
    }
    return out.empty() ? target_name(object_.text("agent")) : out;
  }

  // Whether the step is done on the daemon's own host, as far as anybody can tell.
  bool is_here() const {
    const Value& agent = reading_.document["agent_definitions"][object_.text("agent")];
    if (!object_["targets"].is_null()) return false;
    if (agent["address"].is_null()) return true;
    const Object* const address = agent["address"].as_object();
    return address != nullptr && std::ranges::all_of(*address, [](const auto& kind) {
             const json::Array* const names = kind.second.as_array();
             return names != nullptr && std::ranges::all_of(*names, [](const Value& name) {
                      return name == Value("localhost") || name == Value("127.0.0.1") ||
                             name == Value("::1");
                    });
           });
  }

  void read_bash(const Value& command, const std::string& at) {
    const auto line = command_text(reading_, command, "command", at);
    if (!line) return reading_.mistake(at, "has neither command nor command_b64");
    const auto words = read_words(*line);
    if (!words || words->empty() || !words->front().starts_with('/') ||
        words->size() > FlowLimits::arguments_max) {
      return ask_for({command}, at,
                     "needs a shell, or no whole path says what runs; a person does");
    }
    if (!is_here()) return ask_for({command}, at, "is for another host; a person does it there");
    as_operation(StepKind::command, "output");
    for (const std::string& word : *words) {
      step_.operation.command.push_back(native(word, "commands"));
    }
    reading_.note(at, "runs on the daemon's host, without a shell, where the settings allow it");
  }

  // What stands before the path of a relative URL: from the one target that has an address.
  std::string base_url() {
    const auto ids = texts_of(reading_, object_, "targets", at_);
    if (ids.size() != 1) return "";
    const Value& target = reading_.document["target_definitions"][ids.front()];
    const Value& address = target["address"];
    const auto first = [&](std::string_view kind) {
      const json::Array* items = address[kind].as_array();
      return items == nullptr || items->empty() || items->front().as_string() == nullptr
                 ? std::string()
                 : *items->front().as_string();
    };
    if (const std::string url = first("url"); url.contains("://")) {
      return url.ends_with('/') ? url.substr(0, url.size() - 1) : url;
    }
    std::string host = first("dname");
    if (host.empty()) host = first("ipv4");
    if (host.empty()) return "";
    const std::string port = target.text("port");
    const std::string scheme = port == "80" ? "http://" : "https://";
    return scheme + host + (port.empty() || port == "80" || port == "443" ? "" : ":" + port);
  }

  static bool has_variable_host(std::string_view url) {
    const std::size_t begin = url.find("://") + 3;
    const std::string_view host = url.substr(begin, url.find_first_of("/?#", begin) - begin);
    return host.empty() || host.contains("__") || host.contains("${");
  }

  void read_http(const Value& command, const std::string& at) {
    const std::string line = text_of(reading_, command, "command", at, true);
    if (line.empty()) return;
    const auto words = split(line, ' ');
    const bool good = !words[0].empty() &&
                      (words.size() == 2 || (words.size() == 3 && words[2].starts_with("HTTP"))) &&
                      std::ranges::all_of(words[0], [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!good) return ask_for({command}, at, "is no HTTP start line; a person does it");
    std::string url(words[1]);
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
      const std::string base = base_url();
      if (base.empty()) {
        return ask_for({command}, at, "no one target's address says where; a person does it");
      }
      url = base + (url.starts_with('/') ? "" : "/") + url;
    }
    if (has_variable_host(url)) {
      return ask_for({command}, at, "the host is a variable; a person does it");
    }
    as_operation(StepKind::http, "body");
    step_.operation.method = std::string(words[0]);
    step_.operation.url = native(url, "commands");
    read_headers(command, at);
    if (const auto content = command_text(reading_, command, "content", at)) {
      const auto parsed = json::parse(*content);
      const bool is_json =
          parsed && (parsed->as_object() != nullptr || parsed->as_array() != nullptr);
      step_.operation.body =
          is_json ? to_native_value(*parsed, names_) : Value(native(*content, "commands"));
    }
    tell_of_authentication(at);
  }

  void read_headers(const Value& command, const std::string& at) {
    const Value& headers = command["headers"];
    if (headers.is_null()) return;
    if (headers.as_object() == nullptr) {
      return reading_.mistake(below(at, "headers"), "must be an object of lists of texts");
    }
    for (const auto& [name, value] : *headers.as_object()) {
      std::string all;
      for (const std::string& one : texts_of(reading_, headers, name, below(at, "headers"))) {
        all += (all.empty() ? "" : ", ") + one;
      }
      step_.operation.headers[name] = native(all, "commands");
    }
  }

  void tell_of_authentication(const std::string& at) {
    auto ids = texts_of(reading_, object_, "targets", at_);
    ids.push_back(object_.text("agent"));
    for (const std::string& id : ids) {
      for (const char* dictionary : {"target_definitions", "agent_definitions"}) {
        if (reading_.document[dictionary][id]["authentication_info"].is_null()) continue;
        return reading_.note(at,
                             "its authentication is not taken over; a header or 'sign_with' "
                             "must say who asks");
      }
    }
  }

  Reading& reading_;
  const Value& object_;
  const std::string& at_;
  const VariableNames& names_;
  Step& step_;
};

}  // namespace

void read_step(Reading& reading, const json::Value& object, const std::string& pointer,
               const VariableNames& names, flow::Step& step) {
  StepReader(reading, object, pointer, names, step).read();
}

}  // namespace mailwarden::respond::cacao
