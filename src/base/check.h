// What must hold unless the program itself is wrong.
//
// What     CHECK(condition) aborts with file and line when the condition is false; it is on in
//          every build. It is for mistakes of ours, never for input or for what the system answers.
// Owns     Nothing.
// Threads  Any.
// Errors   Aborts; systemd starts the daemon anew and it goes on from what was committed.
// Limits   None.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (condition) {                                                                     \
    } else {                                                                             \
      std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
