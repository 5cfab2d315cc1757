// Between the core and what is done outside.
//
// What     Dispatch makes errands of what the core lets out, and outcomes for the core of what the
//          errands came to.
// Owns     The errands.
// Threads  One, the core's.
// Errors   In the outcomes.
// Limits   ErrandsOptions.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "alert/outbox.h"
#include "app/core.h"
#include "app/errands.h"
#include "app/policies.h"
#include "base/log.h"
#include "respond/flow_run.h"

namespace mailwarden::app {

struct AlertSettled {
  alert::Outcome outcome;
  std::string receiver;
};
using Settled = std::variant<AlertSettled, respond::flow::Outcome>;

class Dispatch {
 public:
  Dispatch(const ErrandsOptions& options, const Clock& clock, Log& log);

  // Receivers, and what effects may touch, are those of the policies in force.
  void send(std::vector<Outgoing> outgoing, const Policies& policies);
  std::vector<Settled> take_settled();
  // Begins nothing more, and waits for what is at work.
  void stop() { errands_.stop(); }

  std::size_t waiting() const { return errands_.waiting() + settled_.size(); }
  bool all_tried() const { return settled_.empty() && errands_.all_tried(); }

 private:
  void send_alert(alert::Alert alert, const Policies& policies, std::vector<Errand>& errands);

  const Clock& clock_;
  Log& log_;
  std::map<std::string, std::variant<std::string, respond::flow::Effect>>
      known_;                     // receiver or effect
  std::vector<Settled> settled_;  // what needed no errand
  Errands errands_;
};

}  // namespace mailwarden::app
