#include "base/bounded_queue.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/log.h"

namespace mailwarden {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, KeepsOrderAndDrainsAfterClose) {
  BoundedQueue<int> queue(4);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, WakingEndsOneWaitAndLosesNothing) {
  BoundedQueue<int> queue(1);
  queue.wake();
  EXPECT_EQ(queue.pop(1h), std::nullopt);
  EXPECT_EQ(queue.pop(0s), std::nullopt);
  std::jthread waker([&] { queue.wake(); });
  EXPECT_EQ(queue.pop(1h), std::nullopt);
  queue.wake();
  EXPECT_TRUE(queue.push(1));
  EXPECT_EQ(queue.pop(1h), 1);
}

TEST(BoundedQueue, AFullQueueMakesThePusherWait) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.push(1));
  std::atomic<bool> pushed = false;
  std::jthread pusher([&] {
    EXPECT_TRUE(queue.push(2));
    pushed = true;
  });
  EXPECT_FALSE(pushed);
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  pusher.join();
  EXPECT_TRUE(pushed);
}

TEST(BoundedQueue, AnEmptyQueueAnswersWhenTheWaitIsOver) {
  BoundedQueue<int> queue(1);
  EXPECT_EQ(queue.pop(1ms), std::nullopt);
}

TEST(BoundedQueue, CloseWakesAWaitingPusher) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.push(1));
  std::jthread pusher([&] { EXPECT_FALSE(queue.push(2)); });
  queue.close();
}

TEST(BoundedQueueDeathTest, WithoutCapacityIsABug) {
  EXPECT_DEATH(BoundedQueue<int>(0), "CHECK failed: items_max > 0");
}

TEST(LogQuote, NobodyForgesALine) {
  EXPECT_EQ(Log::quote("root\nINFO all is well"), "'root\\x0aINFO all is well'");
  EXPECT_EQ(Log::quote(std::string(300, 'a')), "'" + std::string(256, 'a') + "…'");
}

TEST(Log, BracesAndLevelsAreHarmless) {
  testing::internal::CaptureStderr();
  Log log(LogLevel::warning);
  log.debug("unseen");
  log.info("unseen");
  log.warning("{} {0} is text");
  log.error("graver");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_EQ(written.find("unseen"), std::string::npos);
  EXPECT_NE(written.find("warning {} {0} is text\n"), std::string::npos);
  EXPECT_NE(written.find("error graver\n"), std::string::npos);
}

}  // namespace
}  // namespace mailwarden
