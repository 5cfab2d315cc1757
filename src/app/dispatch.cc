#include "app/dispatch.h"

#include "alert/channel.h"
#include "alert/particulars.h"
#include "respond/effect.h"

namespace mailwarden::app {
namespace {

Settled alert_settled(const ErrandOutcome& outcome, const std::string& receiver) {
  const alert::Standing failed = outcome.over ? alert::Standing::failed : alert::Standing::pending;
  return AlertSettled{
      .outcome = {.key = outcome.key,
                  .standing = outcome.result ? alert::Standing::delivered : failed,
                  .tries = outcome.tries,
                  .trouble = outcome.result ? std::string() : outcome.result.error().what},
      .receiver = receiver};
}

}  // namespace

Dispatch::Dispatch(const ErrandsOptions& options, const Clock& clock, Log& log)
    : clock_(clock), log_(log), errands_(options, clock) {}

void Dispatch::send_alert(alert::Alert alert, const Policies& policies,
                          std::vector<Errand>& errands) {
  const alert::Receiver* const receiver = policies.routes.find(alert.receiver);
  if (receiver == nullptr) {
    const std::string trouble = "there is no receiver '" + alert.receiver + "' any more";
    log_.error("the alert " + alert.key + " cannot be delivered: " + trouble);
    settled_.push_back(AlertSettled{.outcome = {.key = alert.key,
                                                .standing = alert::Standing::failed,
                                                .tries = 0,
                                                .trouble = trouble},
                                    .receiver = alert.receiver});
    return;
  }
  known_.insert_or_assign(alert.key, receiver->name);
  Errand errand{.key = alert.key,
                .lane = "alert " + receiver->name,
                .subject = "incident " + std::to_string(alert.incident),
                .follows = alert::follows_others(alert),
                .per_minute = receiver->per_minute,
                .since = alert.time};
  errand.run = [receiver = *receiver, alert = std::move(alert), &clock = clock_]() -> Attempt {
    auto done = alert::deliver(receiver, alert, clock.now());
    if (done) return {json::Object{}};
    return {fail(done.error().code, std::move(done.error().what)), done.error().pause};
  };
  errands.push_back(std::move(errand));
}

void Dispatch::send(std::vector<Outgoing> outgoing, const Policies& policies) {
  std::vector<Errand> errands;
  std::shared_ptr<const respond::EffectSettings> settings;  // null until an effect needs them
  for (Outgoing& one : outgoing) {
    if (auto* const alert = std::get_if<alert::Alert>(&one); alert != nullptr) {
      send_alert(std::move(*alert), policies, errands);
      continue;
    }
    const auto& effect = std::get<respond::flow::Effect>(one);
    if (settings == nullptr) {
      settings = std::make_shared<const respond::EffectSettings>(policies.effects);
    }
    // A try and the question whether it had its effect are two errands; there is never more than
    // one of a step. Other steps wait for none of them.
    const bool is_probe = effect.kind == respond::flow::Effect::Kind::probe;
    const std::string key = effect.key + (is_probe ? " probe" : "");
    known_.insert_or_assign(key, effect);
    errands.push_back(
        {.key = key,
         .lane = "playbook " + effect.key,
         .group = "playbooks",
         .since = clock_.now(),
         .tries_max = 1,
         .run = [effect, settings]() -> Attempt { return respond::perform(effect, *settings); }});
  }
  errands_.add(std::move(errands));
}

std::vector<Settled> Dispatch::take_settled() {
  std::vector<Settled> settled = std::exchange(settled_, {});
  for (ErrandOutcome& outcome : errands_.take_outcomes()) {
    const auto known = known_.find(outcome.key);
    if (const auto* receiver = std::get_if<std::string>(&known->second); receiver != nullptr) {
      if (!outcome.result) {
        log_.error("alert " + outcome.key + " to " + *receiver + ": " +
                   outcome.result.error().what +
                   (outcome.over ? "; given up" : "; it is tried again"));
      }
      settled.push_back(alert_settled(outcome, *receiver));
    } else if (outcome.over) {
      settled.push_back(respond::flow::outcome_of(std::get<respond::flow::Effect>(known->second),
                                                  std::move(outcome.result)));
    }
    if (outcome.over) known_.erase(known);
  }
  return settled;
}

}  // namespace mailwarden::app
