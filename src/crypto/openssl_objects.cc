#include "crypto/openssl_objects.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

namespace mailwarden::crypto {

void FreeObject::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

void FreeObject::operator()(evp_pkey_ctx_st* context) const {
  EVP_PKEY_CTX_free(context);
}

void FreeObject::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

void FreeObject::operator()(ECDSA_SIG_st* signature) const {
  ECDSA_SIG_free(signature);
}

ForgetErrors::ForgetErrors() {
  ERR_set_mark();
}

ForgetErrors::~ForgetErrors() {
  ERR_pop_to_mark();
}

}  // namespace mailwarden::crypto
