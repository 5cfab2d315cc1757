#include "respond/signature.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/sha256.h"
#include "json/base64.h"
#include "json/jcs.h"
#include "respond/cacao_parts.h"

namespace mailwarden::respond {
namespace {

using crypto::ForeignKey;
using json::Array;
using json::Object;
using json::Value;

std::string hex(std::string_view bytes) {
  return crypto::to_hex(crypto::as_bytes(bytes));
}

// What a signature is over, before it is hashed.
std::string signed_text(Object playbook, const Object& signature) {
  Object bare = signature;
  bare.erase("value");
  playbook["signatures"] = Array{Value(std::move(bare))};
  return json::to_jcs(playbook);
}

struct NamedKey {
  ForeignKey key;
  bool believed = false;
  std::string why;  // it is not believed
};

bool is_among(const ForeignKey& key, const BelievedKeys& believed) {
  return std::ranges::any_of(believed.keys,
                             [&](const ForeignKey& one) { return one.der() == key.der(); });
}

// PEM's body may have its line breaks.
Result<std::string> from_pem_body(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  return json::from_base64(text);
}

Result<NamedKey> key_in_text(const std::string& text, const BelievedKeys& believed) {
  const auto der = from_pem_body(text);
  if (!der) return fail("public_key", der.error());
  const auto key = ForeignKey::from_der(*der);
  if (!key) return fail("public_key", key.error());
  const bool good = is_among(*key, believed);
  return NamedKey{*key, good, good ? "" : "its key is none that is believed"};
}

Result<NamedKey> key_in_chain(const Array& chain, const BelievedKeys& believed, Timestamp now) {
  std::vector<std::string> certificates;
  for (const Value& one : chain) {
    const auto der = one.as_string() == nullptr ? fail(Code::invalid, "must be texts")
                                                : from_pem_body(*one.as_string());
    if (!der) return fail("public_cert_chain", der.error());
    certificates.push_back(*der);
  }
  if (certificates.empty()) return fail(Code::invalid, "public_cert_chain: is empty");
  const auto key = ForeignKey::from_certificate(certificates.front());
  if (!key) return fail("public_cert_chain", key.error());
  const auto holds = crypto::check_chain(certificates, believed.keys, now);
  return NamedKey{*key, holds.has_value(), holds ? "" : holds.error().what};
}

// Of a certificate, or of a key itself.
Result<NamedKey> key_by_thumbprint(const std::string& thumbprint, const BelievedKeys& believed) {
  const auto print_of = [](std::string_view der) {
    return json::to_base64url(*crypto::hash("sha-256", der));
  };
  for (const std::string& certificate : believed.certificates) {
    if (print_of(certificate) != thumbprint) continue;
    const auto key = ForeignKey::from_certificate(certificate);
    if (key) return NamedKey{*key, true, ""};
  }
  for (const ForeignKey& key : believed.keys) {
    if (print_of(key.der()) == thumbprint) return NamedKey{key, true, ""};
  }
  return fail(Code::not_found, "no key that is believed has its thumbprint");
}

Result<NamedKey> key_of(const Value& signature, const BelievedKeys& believed, Timestamp now) {
  if (const std::string* text = signature["public_key"].as_string()) {
    return key_in_text(*text, believed);
  }
  if (const Array* chain = signature["public_cert_chain"].as_array()) {
    return key_in_chain(*chain, believed, now);
  }
  if (const std::string* thumbprint = signature["thumbprint"].as_string()) {
    return key_by_thumbprint(*thumbprint, believed);
  }
  if (!signature["cert_url"].is_null()) {
    return fail(Code::unavailable, "its certificate stands at a URL, which is never fetched");
  }
  return fail(Code::invalid, "it names no key");
}

// Which of the two readings the signature is over, if either.
Result<std::optional<SignedHash>> find_reading(const ForeignKey& key, const Object& playbook,
                                               const Value& signature) {
  const auto value = json::from_base64url(signature.text("value"));
  if (!value) return fail("value", value.error());
  const auto hash =
      crypto::hash(signature.text("hash_algorithm"), signed_text(playbook, *signature.as_object()));
  if (!hash) return std::unexpected(hash.error());
  const std::string algorithm = signature.text("algorithm");
  for (const SignedHash over : {SignedHash::digits, SignedHash::bytes}) {
    const auto held =
        key.verify(algorithm, over == SignedHash::digits ? hex(*hash) : *hash, *value);
    if (!held) return std::unexpected(held.error());
    if (*held) return over;
  }
  return std::nullopt;
}

// Whether it is about this playbook, and in force now; why not otherwise.
std::string not_in_force(const Value& playbook, const Value& signature, Timestamp now) {
  if (signature["revoked"] == Value(true)) return "it was revoked";
  if (signature.text("related_to") != playbook.text("id")) return "it is about another playbook";
  if (signature.text("related_version") != playbook.text("modified")) {
    return "it is about another version of the playbook";
  }
  for (const char* name : {"valid_from", "valid_until"}) {
    if (signature[name].is_null()) continue;
    const auto at = parse_rfc3339(signature.text(name));
    if (!at) return std::string(name) + " is no time";
    const bool begins = std::string_view(name) == "valid_from";
    if (begins && now < *at) return "it is not valid yet";
    if (!begins && now >= *at) return "it is not valid any more";
  }
  return "";
}

SignatureCheck check(const Object& playbook, const Value& signature, const BelievedKeys& believed,
                     Timestamp now) {
  SignatureCheck out{.id = signature.text("id"),
                     .signee = signature.text("signee"),
                     .algorithm = signature.text("algorithm")};
  if (signature.as_object() == nullptr || signature.text("type") != "jss") {
    out.why = "it is no signature of the type jss";
    return out;
  }
  if (!signature["signature"].is_null()) {
    out.why = "it is signed itself, which is not known here";
    return out;
  }
  const auto key = key_of(signature, believed, now);
  if (!key) {
    out.why = key.error().what;
    return out;
  }
  const auto reading = find_reading(key->key, playbook, signature);
  if (!reading || !*reading) {
    out.why = reading ? "it is not over this playbook, or of another key" : reading.error().what;
    return out;
  }
  out.holds = true;
  out.over = **reading;
  out.why = key->believed ? not_in_force(playbook, signature, now) : key->why;
  out.believed = out.why.empty();
  return out;
}

std::string to_milliseconds(Timestamp at) {
  return to_rfc3339(at).substr(0, 23) + "Z";
}

}  // namespace

Result<BelievedKeys> read_believed(std::string_view pem) {
  const auto parts = crypto::read_pem(pem);
  if (!parts) return std::unexpected(parts.error());
  BelievedKeys out;
  for (const crypto::PemPart& part : *parts) {
    auto key = part.is_certificate ? ForeignKey::from_certificate(part.der)
                                   : ForeignKey::from_der(part.der);
    if (!key) return std::unexpected(key.error());
    out.keys.push_back(*std::move(key));
    if (part.is_certificate) out.certificates.push_back(part.der);
  }
  return out;
}

Result<std::vector<SignatureCheck>> verify_signatures(const json::Object& playbook,
                                                      const BelievedKeys& believed, Timestamp now) {
  const Value whole(playbook);
  const Value& signatures = whole["signatures"];
  if (signatures.is_null()) return std::vector<SignatureCheck>();
  if (signatures.as_array() == nullptr || signatures.as_array()->size() > signatures_max) {
    return fail(Code::invalid, "/signatures: must be a list of at most " +
                                   std::to_string(signatures_max) + " signatures");
  }
  std::vector<SignatureCheck> checks;
  for (const Value& signature : *signatures.as_array()) {
    checks.push_back(check(playbook, signature, believed, now));
  }
  return checks;
}

Result<json::Object> sign_playbook(json::Object playbook, const crypto::Signer& signer,
                                   const Signing& signing) {
  const Value whole(playbook);
  for (const char* name : {"id", "modified", "created_by"}) {
    if (whole[name].as_string() == nullptr) {
      return fail(Code::invalid, "/" + std::string(name) + ": is missing");
    }
  }
  Array signatures;
  if (const Array* there = whole["signatures"].as_array()) signatures = *there;
  if (signatures.size() >= signatures_max) {
    return fail(Code::full,
                "a playbook has at most " + std::to_string(signatures_max) + " signatures");
  }
  const std::string now = to_milliseconds(signing.now);
  const std::string key = json::to_base64(crypto::to_der(signer.public_key()));
  Object signature{
      {"type", "jss"},
      {"id", cacao::id_of("jss", whole.text("id"), "signature " + key + " " + now)},
      {"created_by", signing.created_by.empty() ? whole.text("created_by") : signing.created_by},
      {"created", now},
      {"modified", now},
      {"signee", signing.signee},
      {"related_to", whole.text("id")},
      {"related_version", whole.text("modified")},
      {"hash_algorithm", "sha-256"},
      {"algorithm", "Ed25519"},
      {"public_key", key}};
  const auto hash = crypto::hash("sha-256", signed_text(playbook, signature));
  if (!hash) return std::unexpected(hash.error());
  const crypto::Signature made = signer.sign(hex(*hash));
  signature["value"] =
      json::to_base64url({reinterpret_cast<const char*>(made.data()), made.size()});
  signatures.emplace_back(std::move(signature));
  playbook["signatures"] = std::move(signatures);
  return playbook;
}

}  // namespace mailwarden::respond
