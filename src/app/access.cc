#include "app/access.h"

#include "base/files.h"
#include "identity/issuers.h"

namespace mailwarden::app {

Access::Access(std::unique_ptr<identity::Verifier> verifier, const Clock& clock, Entropy& entropy,
               const access::GrantBook& grants, std::function<void()> wake)
    : verifier_(std::move(verifier)),
      log_(std::move(wake)),
      arbiter_(
          {.clock = clock,
           .entropy = entropy,
           .verify = verify(),
           .grant = [&grants](const policy::EntityUid& person, const policy::EntityUid& system,
                              Timestamp now) -> std::optional<json::Value> {
             const auto view = grants.view();
             const auto* const grant = view->live(person.id, system.id, now);
             if (person.type != "User" || grant == nullptr) return std::nullopt;
             return access::context_of(*grant);
           },
           .keep = [this](access::Undertaken undertaken,
                          bool durable) { return log_.keep(std::move(undertaken), durable); }}) {}

access::ArbiterParts::Verify Access::verify() {
  if (verifier_ == nullptr) return {};
  return [this](std::string_view token, Timestamp now) { return verifier_->verify(token, now); };
}

void Access::hand_over(Core& core) {
  core.take(log_.take());
  if (const std::int64_t missed = log_.missed(); missed > 0) {
    core.record("gap", {{"source", "decisions"},
                        {"what", std::to_string(missed) +
                                     " decisions were not kept, since the store took too long"}});
  }
}

Result<std::unique_ptr<Access>> Access::start(const config::Config& config, const Clock& clock,
                                              Entropy& entropy, const access::GrantBook& grants,
                                              std::function<void()> wake) {
  std::unique_ptr<identity::Verifier> verifier;
  if (!config.issuers.empty()) {
    const auto text = read_whole_file(config.issuers, file_bytes_max);
    if (!text) return std::unexpected(text.error());
    auto issuers = identity::parse_issuers(*text, config.issuers);
    if (!issuers) return std::unexpected(issuers.error());
    auto made = identity::Verifier::make(*std::move(issuers));
    if (!made) return fail(config.issuers, made.error());
    verifier = *std::move(made);
  }
  return std::unique_ptr<Access>(
      new Access(std::move(verifier), clock, entropy, grants, std::move(wake)));
}

}  // namespace mailwarden::app
