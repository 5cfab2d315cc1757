#include "respond/effect.h"

#include <array>

#include "base/check.h"
#include "base/process.h"
#include "base/text.h"
#include "net/http_client.h"
#include "respond/action.h"
#include "respond/signed_request.h"

namespace mailwarden::respond {
namespace {

bool is_probe(const flow::Effect& effect) {
  return effect.kind == flow::Effect::Kind::probe;
}

Result<json::Object> run_command(const flow::Effect& effect) {
  const flow::Operation& operation = effect.operation;
  std::array<char, output_bytes_max> output{};
  const auto end = run_process({.command = operation.command,
                                .environment = {"MAILWARDEN_STEP=" + effect.key},
                                .time_out = operation.time_out,
                                .output = output});
  if (!end) return std::unexpected(end.error());
  const std::string said = printable(trim({output.data(), end->output_bytes}));
  const std::string failure = failure_of(*end);
  const bool has_ended = end->in_time && end->signal == 0;
  if (failure.empty() || (is_probe(effect) && has_ended)) {
    return json::Object{{"exit", end->exit_code}, {"output", said}};
  }
  // One that was ended may have done some of it.
  return fail(end->in_time ? Code::denied : Code::unavailable,
              operation.command.front() + ": " + failure +
                  (has_ended && !said.empty() ? ", saying: " + said : ""));
}

net::HttpCall call_of(const flow::Operation& operation, const std::string& key) {
  net::HttpCall call{
      .method = operation.method,
      .url = operation.url,
      .headers = {{"Idempotency-Key", "\"" + key + "\""}, {"User-Agent", "mailwarden"}}};
  for (const auto& [name, value] : operation.headers) {
    if (value.as_string() != nullptr) call.headers.emplace_back(name, *value.as_string());
  }
  if (!operation.body.is_null()) {
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = json::to_text(operation.body);
  }
  return call;
}

// As JSON where it is JSON, so that its members can be named; long ones in part, as text.
json::Value body_of(const std::string& body) {
  auto value = json::parse(body);
  if (value && body.size() <= output_bytes_max) return *std::move(value);
  return printable(body.substr(0, output_bytes_max));
}

Result<json::Object> request(const flow::Effect& effect, const EffectSettings& settings) {
  const flow::Operation& operation = effect.operation;
  net::HttpCall call = call_of(operation, effect.key);
  if (!operation.sign_with.empty()) {
    const auto done =
        sign_request(call, settings.keys, operation.sign_with, effect.key, settings.clock->now());
    if (!done) return std::unexpected(done.error());
  }
  net::Client client(
      {.total_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(operation.time_out),
       .response_bytes_max = std::size_t{64} * 1024});
  const auto answer = client.request(call);
  if (!answer) return std::unexpected(answer.error());
  const unsigned status = answer->status;
  const bool again =
      status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
  const bool is_good = status >= 200 && status < 300;
  if (is_good || (is_probe(effect) && !again)) {
    return json::Object{{"body", body_of(answer->body)},
                        {"status", static_cast<std::int64_t>(status)}};
  }
  return fail(again ? Code::unavailable : Code::denied,
              operation.url + ": answered " + std::to_string(status));
}

Result<json::Object> act(const flow::Effect& effect, const EffectSettings& settings) {
  const ActionCall call{.action = effect.operation.action,
                        .arguments = effect.operation.arguments,
                        .key = effect.key,
                        .time_out = effect.operation.time_out};
  if (!effect.asks_action) return perform_action(call, settings);
  const auto holds = probe_action(call, settings);
  if (!holds) return std::unexpected(holds.error());
  return json::Object{{"holds", *holds}};
}

}  // namespace

Result<json::Object> perform(const flow::Effect& effect, const EffectSettings& settings) {
  switch (effect.operation.kind) {
    case flow::StepKind::command:
      return run_command(effect);
    case flow::StepKind::http:
      return request(effect, settings);
    case flow::StepKind::action:
      return act(effect, settings);
    default:
      return fail(Code::invalid, "a step of that kind has no effect outside");
  }
}

}  // namespace mailwarden::respond
