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

Result<json::Object> run_command(const flow::Operation& operation, const std::string& key,
                                 bool is_probe) {
  std::array<char, output_bytes_max> output{};
  const auto end = run_process({.command = operation.command,
                                .environment = {"MAILWARDEN_STEP=" + key},
                                .time_out = operation.time_out,
                                .output = output});
  if (!end) return std::unexpected(end.error());
  const std::string said = printable(trim({output.data(), end->output_bytes}));
  const std::string failure = failure_of(*end);
  const bool has_ended = end->in_time && end->signal == 0;
  if (failure.empty() || (is_probe && has_ended)) {
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

Result<json::Object> request(const flow::Operation& operation, const std::string& key,
                             bool is_probe, const EffectSettings& settings) {
  net::HttpCall call = call_of(operation, key);
  if (!operation.sign_with.empty()) {
    auto signed_now =
        sign_request(call, settings.keys, operation.sign_with, key, settings.clock->now());
    if (!signed_now) return std::unexpected(signed_now.error());
  }
  net::Client client(
      {.total_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(operation.time_out),
       .response_bytes_max = 64 * 1024});
  const auto answer = client.request(call);
  if (!answer) return std::unexpected(answer.error());
  const unsigned status = answer->status;
  const bool again =
      status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
  const bool is_good = status >= 200 && status < 300;
  if (is_good || (is_probe && !again)) {
    return json::Object{{"body", printable(answer->body.substr(0, output_bytes_max))},
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
  const bool is_probe = effect.kind == flow::Effect::Kind::probe;
  switch (effect.operation.kind) {
    case flow::StepKind::command:
      return run_command(effect.operation, effect.key, is_probe);
    case flow::StepKind::http:
      return request(effect.operation, effect.key, is_probe, settings);
    case flow::StepKind::action:
      return act(effect, settings);
    default:
      return fail(Code::denied, "the daemon has no effect of that kind");
  }
}

}  // namespace mailwarden::respond
