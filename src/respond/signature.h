// Signatures of CACAO playbooks.
//
// What     A signature (`jss`) stands in a playbook's list `signatures`. What is signed is the
//          playbook with that one signature in the list, which lacks its `value`: as RFC 8785 has
//          it, hashed by `hash_algorithm`. The specification says
//
//            value = base64url(sign(algorithm, key, hash(jcs(playbook))))
//
//          and not how the hash is handed over. The published example signs its hexadecimal digits,
//          so RS256 there hashes twice; others sign the hash's bytes. verify_signatures() takes
//          both and tells which one held; sign_playbook() writes the digits, as the example does.
//          A signature says something only where its key is believed: a public key that was given,
//          or a chain of certificates that ends at one. `cert_url` is never fetched.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid: no playbook, or a list that is none. What is wrong with one signature stands in
//          its SignatureCheck.
// Limits   signatures_max; CacaoLimits for the text.
// Source   CACAO 2.0, sections 2.5 and 10.15, appendix A; RFC 8785; RFC 7518; RFC 8037.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "crypto/ed25519.h"
#include "crypto/foreign_key.h"
#include "json/value.h"

namespace mailwarden::respond {

inline constexpr std::size_t signatures_max = 20;

enum class SignedHash : std::uint8_t { digits, bytes };

struct SignatureCheck {
  std::string id;
  std::string signee;
  std::string algorithm;
  bool holds = false;                    // the key that it names made it, over this playbook
  bool believed = false;                 // and that key is believed, and the signature is in force
  SignedHash over = SignedHash::digits;  // where it holds
  std::string why;                       // where it does not, or is not believed
};

// Keys, and certificates by the thumbprints of which keys are named.
struct BelievedKeys {
  std::vector<crypto::ForeignKey> keys;
  std::vector<std::string> certificates;  // DER; their keys are among the keys
};
// Public keys and certificates out of PEM.
Result<BelievedKeys> read_believed(std::string_view pem);

Result<std::vector<SignatureCheck>> verify_signatures(const json::Object& playbook,
                                                      const BelievedKeys& believed, Timestamp now);

struct Signing {
  std::string signee;      // who signs, for people
  std::string created_by;  // an identity's id; "" for the playbook's own
  Timestamp now;
};
// The playbook with one signature more, by Ed25519 over SHA-256.
Result<json::Object> sign_playbook(json::Object playbook, const crypto::Signer& signer,
                                   const Signing& signing);

}  // namespace mailwarden::respond
