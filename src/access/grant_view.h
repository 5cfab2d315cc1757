// The grants that are live, for threads that decide.
//
// What     A GrantView holds what is approved by person and system, and the time as it was known
//          when the view was made. Whether a grant is live is asked at each look-up, so that one
//          ends at its time and not at a sweep.
// Owns     Copies of the grants.
// Threads  It never changes; share it freely. A new one replaces it.
// Errors   None: no grant is no grant.
// Limits   As the book that makes it. A look-up is one hash and a walk over the grants of that
//          person for that system.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "access/grant.h"

namespace mailwarden::access {

class GrantView {
 public:
  // `slack` is by how much the clock of whoever asks may stand before that of whoever granted.
  static std::shared_ptr<const GrantView> make(std::vector<Grant> approved, const AccessTime& time,
                                               Duration slack);
  // The same grants at another time.
  std::shared_ptr<const GrantView> at(const AccessTime& time) const;

  // The best of the grants that are live now: one that somebody approved before a broken glass,
  // then the one that lasts longest. Null where there is none. It is good as long as the view.
  const Grant* live(std::string_view person, std::string_view system, Timestamp now) const;
  // All that the view holds for them, in that order; is_live() tells which count.
  std::span<const Grant> all(std::string_view person, std::string_view system) const;
  bool is_live(const Grant& grant, Timestamp now) const;

  std::size_t size() const;
  const AccessTime& time() const { return time_; }

 private:
  struct Table;

  GrantView(std::shared_ptr<const Table> table, const AccessTime& time, Duration slack)
      : table_(std::move(table)), time_(time), slack_(slack) {}

  std::shared_ptr<const Table> table_;
  AccessTime time_;
  Duration slack_;
};

// Approved, begun, and not over.
bool is_live(const Grant& grant, const AccessTime& time, Duration slack, Timestamp now);

}  // namespace mailwarden::access
