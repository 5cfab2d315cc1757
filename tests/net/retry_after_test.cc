// When a server wants to be asked again.
#include "net/retry_after.h"

#include <gtest/gtest.h>

namespace mailwarden::net {
namespace {

using std::chrono::seconds;

TEST(RetryAfter, IsSecondsOrAMoment) {
  const Timestamp now = parse_rfc3339("1994-11-06T08:49:00Z").value();
  struct Case {
    const char* text;
    std::optional<Duration> expected;
  };
  for (const Case& c : {
           Case{"120", seconds(120)},
           Case{"0", seconds(0)},
           Case{"999999999999999999999999", retry_after_max},
           Case{"9223372036854775807", retry_after_max},
           Case{"Sun, 06 Nov 1994 08:49:37 GMT", seconds(37)},
           Case{"Sun, 06 Nov 1994 08:48:37 GMT", seconds(0)},
           Case{"Fri, 31 Dec 9999 23:59:59 GMT", retry_after_max},
           Case{"Sun, 31 Feb 1994 08:49:37 GMT", std::nullopt},
           Case{"Sun, 06 Nov 1994 08:49:37", std::nullopt},
           Case{"Sun, 06 Now 1994 08:49:37 GMT", std::nullopt},
           Case{"-5", std::nullopt},
           Case{"1.5", std::nullopt},
           Case{"120, 30", std::nullopt},
           Case{"", std::nullopt},
       }) {
    EXPECT_EQ(retry_after({.headers = {{"retry-after", c.text}}}, now), c.expected) << c.text;
  }
  EXPECT_EQ(retry_after({}, now), std::nullopt);
}

}  // namespace
}  // namespace mailwarden::net
