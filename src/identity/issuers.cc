#include "identity/issuers.h"

#include "identity/http_key_source.h"
#include "json/yaml_reader.h"

namespace mailwarden::identity {
namespace {

std::optional<Issuer> read_issuer(yaml::Reader& reader, const yaml::Node& node) {
  if (!reader.is_map(node, "an issuer",
                     {"name", "issuers", "audiences", "other_audiences", "authorized_parties",
                      "hosted_domains", "keys", "type", "skew", "age_max"})) {
    return std::nullopt;
  }
  Issuer issuer{.name = reader.text(node, "name"), .expected = {}, .keys = {}};
  Expectations& expected = issuer.expected;
  expected.issuers = reader.texts(node, "issuers");
  expected.audiences = reader.texts(node, "audiences");
  expected.other_audiences = reader.texts_if_any(node, "other_audiences");
  expected.authorized_parties = reader.texts_if_any(node, "authorized_parties");
  expected.hosted_domains = reader.texts_if_any(node, "hosted_domains");
  expected.skew = reader.duration(node, "skew", expected.skew);
  expected.age_max = reader.duration(node, "age_max", expected.age_max);
  const std::string type = reader.text(node, "type", "identity");
  if (type != "identity" && type != "access") {
    reader.mistake(node, "'type' is identity or access");
  }
  if (type == "access") expected.type = TokenType::access;
  if (expected.issuers.empty()) return std::nullopt;
  const std::string keys = reader.text(node, "keys", "");
  auto source =
      keys.empty() ? discovered_key_source(expected.issuers.front()) : http_key_source(keys);
  if (!source) {
    reader.mistake(node, source.error().what);
    return std::nullopt;
  }
  issuer.keys = *std::move(source);
  return issuer;
}

}  // namespace

Result<std::vector<Issuer>> parse_issuers(std::string_view text, const std::string& file) {
  yaml::Reader reader(file);
  std::vector<Issuer> issuers;
  for (const yaml::Node& document : reader.documents(text)) {
    if (!reader.is_map(document, "a list of issuers", {"issuers"})) continue;
    const yaml::Node* const all = reader.sequence(document, "issuers");
    if (all == nullptr) continue;
    for (const yaml::Node& one : all->items) {
      if (auto issuer = read_issuer(reader, one)) issuers.push_back(*std::move(issuer));
    }
  }
  if (!reader.mistakes().empty()) return fail(Code::invalid, reader.all_mistakes());
  return issuers;
}

}  // namespace mailwarden::identity
