#include "app/access.h"

#include <utility>

#include "base/files.h"
#include "identity/issuers.h"

namespace mailwarden::app {

Access::Access(std::unique_ptr<identity::Verifier> verifier, const Clock& clock, Entropy& entropy,
               Log& log, const access::GrantBook& grants, std::function<void()> wake)
    : verifier_(std::move(verifier)),
      told_(log),
      log_(std::move(wake)),
      arbiter_(
          {.clock = clock,
           .entropy = entropy,
           .verify = verify(),
           .grants = [&grants] { return grants.view(); },
           .keep = [this](std::unique_ptr<access::Undertaken> undertaken,
                          bool durable) { return log_.keep(std::move(undertaken), durable); }}) {}

access::ArbiterParts::Verify Access::verify() {
  if (verifier_ == nullptr) return {};
  return [this](std::string_view token, Timestamp now) { return verifier_->verify(token, now); };
}

Duration Access::pause() const {
  return std::chrono::seconds(1 + static_cast<std::int64_t>(made_of_.entities) / entities_a_second);
}

bool Access::is_news(const std::string& trouble) {
  return std::exchange(last_trouble_, trouble) != trouble && !trouble.empty();
}

access::InForce Access::in_force(const Policies& policies, const Core& core, Timestamp now) {
  made_of_ = {.people = core.people_revision(), .at = now};
  if (policies.access == nullptr || !policies.watches_people) {
    return {.point = policies.access, .origins = nullptr};
  }
  const policy::Loaded& loaded = policies.access->loaded();
  auto known = access::known_entities(
      policies.entities, {.book = &core.people(), .is_complete = policies.has_directory}, {},
      *loaded.schema, now);
  if (!known) {
    const std::string trouble =
        "nobody may do anything, since what is known of people cannot be used: " +
        known.error().what;
    if (is_news(trouble)) told_.error(trouble);
    return {};
  }
  made_of_.until = known->until;
  made_of_.entities = known->entities->defined();
  std::string left_out;
  for (const std::string& one : known->left_out) left_out += "\n" + one;
  if (is_news(left_out)) {
    told_.warning("access policies look away from what does not fit:" + left_out);
  }
  return {.point = std::make_shared<const policy::DecisionPoint>(loaded, known->entities),
          .origins = known->origins,
          .until = known->until};
}

void Access::use(const Policies& policies, Core& core, Timestamp now) {
  access::InForce in_force = this->in_force(policies, core, now);
  core.decide_by(in_force);
  arbiter_.use(std::move(in_force));
}

void Access::refresh(Core& core, Timestamp now, bool hurry) {
  if (!core.policies().watches_people) return;
  const bool has_run_out = now >= made_of_.until || now < made_of_.at;
  const bool has_changed = core.people_revision() != made_of_.people;
  if (!has_run_out && !(has_changed && (hurry || now - made_of_.at >= pause()))) return;
  use(core.policies(), core, now);
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
                                              Entropy& entropy, Log& log,
                                              const access::GrantBook& grants,
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
      new Access(std::move(verifier), clock, entropy, log, grants, std::move(wake)));
}

}  // namespace mailwarden::app
