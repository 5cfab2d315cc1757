#include "respond/effect.h"

#include "base/check.h"
#include "base/child_process.h"
#include "base/text.h"
#include "net/http_client.h"

namespace mailwarden::respond {
namespace {

Result<json::Object> run_command(const Step& step, const std::string& key) {
  const auto ran =
      run_child({.command = step.command,
                 .environment = {"MAILWARDEN_STEP=" + key},
                 .time_out = std::chrono::duration_cast<std::chrono::milliseconds>(step.time_out),
                 .output_bytes_max = output_bytes_max,
                 .complaints_bytes_max = output_bytes_max,
                 .cancelled = {}});
  if (!ran) return std::unexpected(ran.error());
  const std::string all = (ran->output + ran->complaints).substr(0, output_bytes_max);
  const std::string said = printable(trim(all));
  if (ran->code != 0) {
    return fail(Code::denied, step.command.front() + ": ended with " + std::to_string(ran->code) +
                                  (said.empty() ? "" : ", saying: " + said));
  }
  return json::Object{{"exit", 0}, {"output", said}};
}

Result<json::Object> request(const Step& step, const std::string& key) {
  net::HttpCall call{
      .method = step.method,
      .url = step.url,
      .headers = {{"Idempotency-Key", "\"" + key + "\""}, {"User-Agent", "mailwarden"}}};
  if (!step.body.is_null()) {
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = json::to_text(step.body);
  }
  net::Client client(
      {.total_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(step.time_out),
       .response_bytes_max = 64 * 1024});
  const auto answer = client.request(call);
  if (!answer) return std::unexpected(answer.error());
  const unsigned status = answer->status;
  if (status >= 200 && status < 300) {
    return json::Object{{"body", printable(answer->body.substr(0, output_bytes_max))},
                        {"status", static_cast<std::int64_t>(status)}};
  }
  const bool again =
      status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
  return fail(again ? Code::unavailable : Code::denied,
              step.url + ": answered " + std::to_string(status));
}

}  // namespace

Result<json::Object> perform(const Step& step, const std::string& key) {
  CHECK(step.kind == StepKind::command || step.kind == StepKind::http);
  return step.kind == StepKind::command ? run_command(step, key) : request(step, key);
}

}  // namespace mailwarden::respond
