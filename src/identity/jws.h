// A signed text in its compact form: header, payload and signature in base64url, with dots between.
//
// What     parse_jws() takes the three parts apart and reads the header; it believes nothing.
//          verify_jws() finds the key and tries the signature.
// Owns     The payload and the signature; `signed_text` points into the token.
// Threads  Values; every function is pure.
// Errors   parse_jws(): invalid, not such a text, or its header says what is not understood here;
//          full, beyond a limit; denied, an algorithm other than RS256 and ES256, whatever its
//          name. verify_jws(): those of KeySet::choose(), and denied where the signature is wrong.
//          No error repeats anything that the token says.
// Limits   TokenLimits.
// Source   RFC 7515, section 7.1; RFC 7518, section 3; RFC 8725, section 3. "crit" and "b64" are
//          refused, since no extension is known here; keys that a header brings along ("jwk",
//          "jku", "x5c", "x5u") are not looked at.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/verification_key.h"
#include "identity/key_set.h"

namespace mailwarden::identity {

struct TokenLimits {
  std::size_t token_bytes_max = 16 * 1024;
  std::size_t header_bytes_max = 4 * 1024;
  std::size_t text_bytes_max = 2 * 1024;  // one claim
  std::size_t list_max = 64;              // audiences, methods of authentication
  std::size_t depth_max = 16;
};

struct Header {
  crypto::SignatureScheme scheme = crypto::SignatureScheme::rsa_pkcs1_sha256;
  std::optional<std::string> key_id;  // "kid"
  std::optional<std::string> type;    // "typ", in lower case and without "application/"
};

struct Jws {
  Header header;
  std::string payload;
  std::string signature;
  std::string_view signed_text;  // header and payload as they stand in the token
};

Result<Jws> parse_jws(std::string_view token, const TokenLimits& limits = {});

// The key that made the signature.
Result<const Key*> verify_jws(const Jws& jws, const KeySet& keys);

}  // namespace mailwarden::identity
