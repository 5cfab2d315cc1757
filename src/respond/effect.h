// Does what a step asks for, outside the daemon.
//
// What     perform() makes one try of a command, an HTTP request or one of the daemon's own
//          actions, or asks a probe, of which any end of the command and any answer but one for the
//          moment is an answer. A command runs without a shell, with an empty environment but for
//          PATH and MAILWARDEN_STEP (the step's key), reads nothing, and is ended with all of its
//          children when its time is over.
// Owns     Nothing.
// Threads  Any.
// Errors   unavailable: not reached, out of time, or told to come again: another try may help.
//          denied: the other side refused, or the command ended with another code than 0. io: the
//          command cannot be started.
// Limits   output_bytes_max of a command's output and an answer's body are kept.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "json/value.h"
#include "respond/effect_settings.h"
#include "respond/flow_run.h"

namespace mailwarden::respond {

inline constexpr std::size_t output_bytes_max = 4096;

// What is worth keeping of it: an exit code and output, a status and body, an action's results, or
// whether an action holds that is asked for it.
Result<json::Object> perform(const flow::Effect& effect, const EffectSettings& settings);

}  // namespace mailwarden::respond
