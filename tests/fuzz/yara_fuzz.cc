// Any bytes as a file, against the shipped YARA rules, and where the text of rules and samples is
// read. The first byte picks the extension that the rules see.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "detect/yara.h"
#include "detect/yara_examples.h"
#include "detect/yara_text.h"

namespace {

using namespace mailwarden;

// scripts/test runs the targets in the checkout.
detect::YaraScanner make_scanner() {
  const auto load = detect::YaraRules::load({"rules/yara"});
  CHECK(load && load->refused.empty());
  auto scanner = detect::YaraScanner::make(load->rules, {.timeout = std::chrono::seconds(20)});
  CHECK(scanner);
  return *std::move(scanner);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static detect::YaraScanner scanner = make_scanner();
  constexpr std::array names{"a", "a.docx", "a.pdf", "a.hta", "a.jpg.exe", "a.svg"};
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto scan = scanner.scan_buffer(std::string_view(text).substr(size == 0 ? 0 : 1),
                                        names[size == 0 ? 0 : data[0] % names.size()]);
  CHECK(scan);
  for (const detect::YaraMatch& match : scan->matches) {
    CHECK(match.detection.because.size() <= detect::Detection::because_max);
    for (const detect::Because& because : match.detection.because) {
      CHECK(is_utf8(because.value));
      CHECK(because.value.size() <= detect::YaraScanner::because_value_max);
    }
  }
  for (const detect::RulePlace& place : detect::find_rules(text)) CHECK(place.line > 0);
  const auto facts = detect::parse_facts(text);
  CHECK(facts || !facts.error().what.empty());
  const auto samples = detect::parse_yara_samples(text, "f.yml");
  CHECK(samples || !samples.error().what.empty());
  return 0;
}
