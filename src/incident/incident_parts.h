// What the files of an incident's book share.
//
// What     How an incident is called in a sentence, and the taking over of a classification.
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

// Without grade(), which a new severity asks for.
inline void set_class(Incident& incident, const Classification& found) {
  incident.severity = found.severity;
  incident.row = found.row;
  incident.because = found.because;
}

}  // namespace mailwarden::incident
