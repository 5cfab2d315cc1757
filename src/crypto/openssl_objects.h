// OpenSSL's objects, each with its end.
//
// What     Pointers that free what they hold, and the forgetting of errors that are no one's.
// Owns     Nothing.
// Threads  ForgetErrors is of the thread that makes it.
// Errors   None.
// Limits   None.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

struct evp_pkey_st;
struct evp_pkey_ctx_st;
struct evp_md_ctx_st;
struct ECDSA_SIG_st;

namespace mailwarden::crypto {

// For an object that one file alone holds: the function of OpenSSL that frees it.
template <auto release>
struct Free {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

struct FreeObject {
  void operator()(evp_pkey_st* key) const;
  void operator()(evp_pkey_ctx_st* context) const;
  void operator()(evp_md_ctx_st* context) const;
  void operator()(ECDSA_SIG_st* signature) const;
};
using KeyPointer = std::unique_ptr<evp_pkey_st, FreeObject>;
using KeyContext = std::unique_ptr<evp_pkey_ctx_st, FreeObject>;
using DigestContext = std::unique_ptr<evp_md_ctx_st, FreeObject>;
using EcSignature = std::unique_ptr<ECDSA_SIG_st, FreeObject>;

// Where what goes wrong is an answer of ours; left in the thread's queue it would be taken for an
// error of whoever uses OpenSSL next.
struct ForgetErrors {
  ForgetErrors();
  ForgetErrors(const ForgetErrors&) = delete;
  ForgetErrors& operator=(const ForgetErrors&) = delete;
  ~ForgetErrors();
};

// Bytes by the pointer that OpenSSL takes.
inline const unsigned char* bytes_of(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline const unsigned char* bytes_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace mailwarden::crypto
