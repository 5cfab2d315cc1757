// What the files of an incident's book share.
//
// What     How an incident and its severity are called in a sentence, what is near to it in time,
//          and the taking over of a classification.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <string>

#include "incident/incident.h"
#include "incident/severity.h"

namespace mailwarden::incident {

inline std::string named(const Incident& incident) {
  return "incident " + std::to_string(incident.number);
}

// The row of the severity table and the facts that it rests on.
std::string reason_of(const Classification& found);

// Whether the time lies that near to the incident's events.
inline bool is_near(const Incident& incident, Timestamp time, Duration within) {
  return time <= incident.last_event + within && time >= incident.first_event - within;
}

// Without grade(), which a new severity asks for.
inline void set_class(Incident& incident, const Classification& found) {
  incident.severity = found.severity;
  incident.row = found.row;
  incident.because = found.because;
}

}  // namespace mailwarden::incident
