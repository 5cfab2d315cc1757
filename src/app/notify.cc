#include <systemd/sd-daemon.h>

#include "app/daemon.h"

namespace mailwarden::app {

void notify_systemd(const char* state) {
  sd_notify(0, state);
}

}  // namespace mailwarden::app
