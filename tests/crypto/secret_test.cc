#include "crypto/secret.h"

#include <array>
#include <fstream>
#include <sstream>
#include <type_traits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/sha256.h"

namespace mailwarden::crypto {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

// The kernel's flags of the mapping that an address lies in; "" where it lies in none.
std::string flags_of(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool ours = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') {
      ours = wanted >= begin && wanted < end;
    }
    if (ours && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

// Sanitizers make nothing of mlock(), since their shadow of the memory would not fit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_locked = false;
#else
constexpr bool is_locked = true;
#endif

TEST(SecretBytes, AreLockedAndLeftOutOfCoreDumpsAndChildren) {
  auto secret = SecretBytes::make(100).value();
  const std::string flags = flags_of(secret.bytes().data());
  if (is_locked) {
    EXPECT_THAT(flags, testing::HasSubstr(" lo "));
  }
  EXPECT_THAT(flags, testing::HasSubstr(" dd ")) << "not dumped";
  EXPECT_THAT(flags, testing::HasSubstr(" wf ")) << "wiped in a child";
  // What is no secret has none of it, so the test can fail.
  const std::vector<std::byte> heap(100);
  EXPECT_THAT(flags_of(heap.data()), testing::Not(testing::HasSubstr(" dd ")));
  secret.bytes()[7] = std::byte{1};
  const pid_t child = ::fork();
  if (child == 0) ::_exit(std::to_integer<int>(secret.bytes()[7]));
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(secret.bytes()[7], std::byte{1});
}

TEST(SecretBytes, AreGivenBackWhenTheyGo) {
  const void* where = nullptr;
  {
    auto secret = SecretBytes::copy(as_bytes("key")).value();
    where = secret.bytes().data();
    EXPECT_EQ(as_text(secret.bytes()), "key");
    const SecretBytes moved = std::move(secret);
    EXPECT_EQ(moved.bytes().data(), where);
    EXPECT_EQ(as_text(moved.bytes()), "key");
  }
  EXPECT_EQ(flags_of(where), "");
}

TEST(SecretBytes, AreMovedAndNeverCopiedNorPrinted) {
  static_assert(!std::is_copy_constructible_v<SecretBytes>);
  static_assert(!std::is_copy_assignable_v<SecretBytes>);
  static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);
  EXPECT_FALSE(Printable<SecretBytes>);
}

TEST(SecretBytes, AreWipedWhereTheyAreShortenedOrWiped) {
  auto secret = SecretBytes::copy(as_bytes("0123456789")).value();
  const std::span<std::byte> all = secret.bytes();
  secret.shorten(4);
  EXPECT_EQ(as_text(secret.bytes()), "0123");
  EXPECT_EQ(as_text(all), std::string_view("0123\0\0\0\0\0\0", 10));
  secret.wipe();
  EXPECT_EQ(as_text(all), std::string(10, '\0'));
}

TEST(SecretBytes, ThatCannotBeLockedAreNotMade) {
  if (!is_locked) GTEST_SKIP() << "a sanitizer takes mlock() away";
  const pid_t child = ::fork();
  if (child == 0) {
    // Root may lock without limit, anybody else may not.
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    const bool set = ::setrlimit(RLIMIT_MEMLOCK, &none) == 0 && ::setuid(65534) == 0;
    const auto made = SecretBytes::make(100);
    ::_exit(set && !made && made.error().code == Code::full ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(WipeAtEnd, LeavesZeros) {
  std::array<std::byte, 4> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  {
    const WipeAtEnd wiping(bytes);
    EXPECT_EQ(bytes[0], std::byte{1});
  }
  EXPECT_EQ(bytes, (std::array<std::byte, 4>{}));
}

TEST(ForbidCoreDumps, HoldsForTheProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{};
    const bool dumped_before = ::prctl(PR_GET_DUMPABLE) != 0;
    const bool done = forbid_core_dumps().has_value();
    const bool none = ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0;
    ::_exit(dumped_before && done && none && ::prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(EqualSecretly, ComparesLengthAndBytes) {
  EXPECT_TRUE(equal_secretly(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_secretly(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_secretly(as_bytes("abc"), as_bytes("ab")));
}

}  // namespace
}  // namespace mailwarden::crypto
