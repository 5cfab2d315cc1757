// Which signals keep others quiet.
//
// What     Inhibitors are the firing sources of the inhibitions in force at one moment, looked up
//          by the labels that must be equal. What is source and target of one inhibition is not
//          kept quiet by what is both, too.
// Owns     Its index; the inhibitions must outlive it.
// Threads  Values; inhibiting() is pure.
// Errors   None.
// Limits   Those of the signals.
// Source   Alertmanager 0.25, package inhibit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "alert/route_terms.h"
#include "alert/signal.h"

namespace mailwarden::alert {

class Inhibitors {
 public:
  Inhibitors(const std::vector<Inhibition>& rules, const SignalBook& signals, Timestamp now);

  // The number of a signal that keeps what has these labels quiet, or 0.
  std::int64_t inhibiting(const Labels& labels) const;

 private:
  struct Sources {
    std::int64_t any = 0;
    std::int64_t no_target = 0;  // one that is no target itself
  };
  const std::vector<Inhibition>& rules_;
  std::vector<std::map<std::string, Sources>> sources_;  // of each rule, by equal labels
};

}  // namespace mailwarden::alert
