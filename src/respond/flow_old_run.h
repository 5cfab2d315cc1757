// Runs as the daemon stored them before playbooks had branches.
//
// What     run_of_format_1() reads a row whose body has no "format": steps one after the other,
//          with everything filled in already. Its run is literal: what stands in its texts is not
//          looked at again, since an incident's values may look like variables.
// Owns     Nothing.
// Threads  Pure.
// Errors   corrupt: the row is damaged.
// Limits   None of its own.
#pragma once

#include "base/result.h"
#include "json/value.h"
#include "respond/flow_run.h"

namespace mailwarden::respond::flow {

Result<Run> run_of_format_1(const json::Value& value);

}  // namespace mailwarden::respond::flow
