// Any text for whom it names. Addresses lie within the text and are in order; the parts that it is
// cut into are the text, and each names those whose addresses reach into it, and nobody else.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/check.h"
#include "crypto/envelope.h"
#include "vault/subjects.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mailwarden;
  using Names = std::set<std::string>;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parts = vault::parts_of(text, crypto::Sealer::keys_max);
  std::size_t begin = 0;
  for (const vault::NamingPart& part : parts) {
    const std::size_t end = begin + part.text.size();
    CHECK(part.text == text.substr(begin, part.text.size()));
    CHECK(part.subjects.size() <= crypto::Sealer::keys_max);
    Names named;
    std::size_t last = 0;
    vault::SubjectScanner scanner(text);
    while (const auto found = scanner.next()) {
      CHECK(found->begin < found->end && last < found->end && found->end <= size);
      CHECK(!found->subjects.empty());
      CHECK(found->subjects.size() <= vault::SubjectScanner::subjects_max);
      last = found->end;
      if (found->begin >= end || found->end <= begin) continue;
      named.insert(found->subjects.begin(), found->subjects.end());
    }
    CHECK(named == Names(part.subjects.begin(), part.subjects.end()));
    begin = end;
  }
  CHECK(begin == size);
  return 0;
}
