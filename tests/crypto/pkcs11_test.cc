// Key-encryption keys in a token, which the test makes in SoftHSM.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <sys/stat.h>

#include "crypto/entropy.h"
#include "crypto/pkcs11_key_provider.h"
#include "tests/temporary.h"

namespace mailwarden::crypto {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string softhsm() {
  for (const char* path :
       {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

class Token : public testing::Test {
 protected:
  void SetUp() override {
    if (softhsm().empty()) GTEST_SKIP() << "SoftHSM is not there";
    std::filesystem::create_directory(folder.path("tokens"));
    write_file(folder.path("softhsm2.conf"),
               "directories.tokendir = " + folder.path("tokens") +
                   "\nobjectstore.backend = file\nlog.level = ERROR\n");
    ::setenv("SOFTHSM2_CONF", folder.path("softhsm2.conf").c_str(), 1);
    module = p11_kit_module_load(softhsm().c_str(), 0);
    ASSERT_NE(module, nullptr);
    ASSERT_EQ(p11_kit_module_initialize(module), CKR_OK);
    make_token();
    write_pin("4711\n");
  }
  void TearDown() override {
    if (module == nullptr) return;
    p11_kit_module_finalize(module);
    p11_kit_module_release(module);
  }

  static CK_BYTE_PTR bytes(std::string& text) { return reinterpret_cast<CK_BYTE_PTR>(text.data()); }

  // As an administrator does: a token, its PIN, and keys in it.
  void make_token() {
    CK_SLOT_ID slot = 0;
    CK_ULONG count = 1;
    ASSERT_EQ(module->C_GetSlotList(CK_TRUE, &slot, &count), CKR_OK);
    std::string so_pin = "0815";
    std::string pin = "4711";
    std::string label = "warden" + std::string(26, ' ');
    ASSERT_EQ(module->C_InitToken(slot, bytes(so_pin), so_pin.size(), bytes(label)), CKR_OK);
    open_session(CKU_SO, so_pin);
    ASSERT_EQ(module->C_InitPIN(session, bytes(pin), pin.size()), CKR_OK);
    module->C_CloseSession(session);
    open_session(CKU_USER, pin);
  }
  void open_session(CK_USER_TYPE user, std::string& pin) {
    std::array<CK_SLOT_ID, 8> slots{};
    CK_ULONG count = slots.size();
    ASSERT_EQ(module->C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info{};
      ASSERT_EQ(module->C_GetTokenInfo(slots[i], &info), CKR_OK);
      if (std::string_view(reinterpret_cast<char*>(info.label), 6) != "warden") continue;
      ASSERT_EQ(module->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                      nullptr, &session),
                CKR_OK);
      ASSERT_EQ(module->C_Login(session, user, bytes(pin), pin.size()), CKR_OK);
      return;
    }
    FAIL() << "no token";
  }
  CK_OBJECT_HANDLE make_key(std::string label, std::string id) {
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ULONG length = 32;
    std::array attributes{CK_ATTRIBUTE{CKA_TOKEN, &yes, sizeof(yes)},
                          CK_ATTRIBUTE{CKA_PRIVATE, &yes, sizeof(yes)},
                          CK_ATTRIBUTE{CKA_SENSITIVE, &yes, sizeof(yes)},
                          CK_ATTRIBUTE{CKA_EXTRACTABLE, &no, sizeof(no)},
                          CK_ATTRIBUTE{CKA_ENCRYPT, &yes, sizeof(yes)},
                          CK_ATTRIBUTE{CKA_DECRYPT, &yes, sizeof(yes)},
                          CK_ATTRIBUTE{CKA_VALUE_LEN, &length, sizeof(length)},
                          CK_ATTRIBUTE{CKA_LABEL, label.data(), label.size()},
                          CK_ATTRIBUTE{CKA_ID, id.data(), id.size()}};
    CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE key = 0;
    EXPECT_EQ(
        module->C_GenerateKey(session, &mechanism, attributes.data(), attributes.size(), &key),
        CKR_OK);
    return key;
  }
  void write_pin(const std::string& pin) {
    write_file(folder.path("pin"), pin);
    ::chmod(folder.path("pin").c_str(), 0600);
  }
  std::unique_ptr<Pkcs11KeyProvider> provider(const std::string& token = "warden") {
    return std::make_unique<Pkcs11KeyProvider>(Pkcs11Options{.module = softhsm(),
                                                             .token = token,
                                                             .pin_file = folder.path("pin"),
                                                             .key_label = "mailwarden",
                                                             .name = "hsm"},
                                               entropy,
                                               [this](const KekUse& use) { uses.push_back(use); });
  }

  TemporaryFolder folder;
  SystemEntropy entropy;
  std::vector<KekUse> uses;
  CK_FUNCTION_LIST* module = nullptr;
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  const std::string plain = "0123456789abcdef0123456789abcdef and more";
};

TEST_F(Token, UnwrapsWhatItWrappedUnderEachVersion) {
  make_key("mailwarden", "\x01");
  make_key("another", "\x07");
  const auto one = provider();
  const Wrapped first = one->wrap(as_bytes(plain), "data key 7").value();
  EXPECT_EQ(first.kek, (KekName{"hsm", 1}));
  EXPECT_EQ(first.bytes.size(), 12 + plain.size() + 16);
  EXPECT_EQ(as_text(first.bytes).find("0123"), std::string_view::npos);
  make_key("mailwarden", std::string("\x01\x02", 2));
  const Wrapped second = one->wrap(as_bytes(plain), "").value();
  EXPECT_EQ(second.kek, (KekName{"hsm", 258})) << "a version that was added since";
  for (const Wrapped& wrapped : {first, second}) {
    // Another process than the one that wrapped.
    const auto found = provider()->unwrap(wrapped.kek, wrapped.bytes, "");
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(as_text(found->bytes()), plain);
  }
  EXPECT_EQ(uses.front().provider, "token 'warden' of " + softhsm());
  EXPECT_EQ(uses.size(), 4U);
}

TEST_F(Token, RefusesWhatItDidNotWrapSo) {
  make_key("mailwarden", "\x01");
  make_key("mailwarden", "\x02");
  const auto one = provider();
  const Wrapped wrapped = one->wrap(as_bytes(plain), "").value();
  for (std::size_t at = 0; at < wrapped.bytes.size(); at += 5) {
    Bytes changed = wrapped.bytes;
    changed[at] ^= std::byte{1};
    EXPECT_EQ(one->unwrap(wrapped.kek, changed, "").error().code, Code::denied) << at;
  }
  EXPECT_EQ(one->unwrap({"hsm", 1}, wrapped.bytes, "").error().code, Code::denied);
  EXPECT_EQ(one->unwrap({"hsm", 3}, wrapped.bytes, "").error().code, Code::denied);
  EXPECT_EQ(one->unwrap({"hsm", 2}, Bytes(20), "").error().code, Code::denied);
  EXPECT_TRUE(one->unwrap(wrapped.kek, wrapped.bytes, "")) << "after all of that";
}

TEST_F(Token, SaysWhatIsMissing) {
  const auto none = provider("nobody")->newest();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::unavailable);
  EXPECT_THAT(none.error().what, HasSubstr("no token has the label 'nobody'"));
  const auto keyless = provider()->newest();
  ASSERT_FALSE(keyless);
  EXPECT_EQ(keyless.error().code, Code::unavailable);
  EXPECT_THAT(keyless.error().what, AllOf(HasSubstr("'warden'"), HasSubstr("'mailwarden'")));
  Pkcs11KeyProvider wrong({.module = "/nonexistent/module.so"}, entropy, {});
  EXPECT_EQ(wrong.newest().error().code, Code::unavailable);
  std::filesystem::remove(folder.path("pin"));
  EXPECT_EQ(provider()->newest().error().code, Code::unavailable);
  write_file(folder.path("pin"), "4711");
  ::chmod(folder.path("pin").c_str(), 0644);
  EXPECT_EQ(provider()->newest().error().code, Code::denied);
}

TEST_F(Token, AWrongPinIsDenied) {
  make_key("mailwarden", "\x01");
  // A token asks for the PIN only while nobody of this process is logged in.
  module->C_Logout(session);
  write_pin("1234");
  const auto refused = provider()->wrap(as_bytes(plain), "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_THAT(refused.error().what, HasSubstr("C_Login"));
  EXPECT_FALSE(uses.back().outcome);
  write_pin("4711");
  EXPECT_TRUE(provider()->wrap(as_bytes(plain), ""));
}

TEST_F(Token, ASessionThatWasLostIsMadeAnew) {
  make_key("mailwarden", "\x01");
  const auto one = provider();
  const Wrapped wrapped = one->wrap(as_bytes(plain), "").value();
  CK_SESSION_INFO info{};
  ASSERT_EQ(module->C_GetSessionInfo(session, &info), CKR_OK);
  // Ends the sessions of all who use the module, as taking the token out does.
  auto* const raw = p11_kit_module_load(softhsm().c_str(), P11_KIT_MODULE_UNMANAGED);
  ASSERT_NE(raw, nullptr);
  raw->C_CloseAllSessions(info.slotID);
  p11_kit_module_release(raw);
  const auto found = one->unwrap(wrapped.kek, wrapped.bytes, "");
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(as_text(found->bytes()), plain);
}

}  // namespace
}  // namespace mailwarden::crypto
