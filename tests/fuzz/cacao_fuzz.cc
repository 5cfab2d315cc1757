// Any text as a CACAO playbook. What is read is within its limits; what is then exported is read
// again as the same playbook, or the playbook is none that check() would let pass and is refused.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "json/value.h"
#include "respond/cacao.h"
#include "respond/cacao_native.h"
#include "respond/signature.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::respond;

const ExportOptions options{.at = Timestamp{1'800'000'000'000'000}};

void there_and_back(const std::string& text) {
  const auto read = import_cacao(text);
  if (!read) {
    CHECK(!read.error().what.empty());
    return;
  }
  CHECK(read->playbook.steps.size() <= flow::FlowLimits::steps_max);
  const auto written = export_cacao(read->playbook, options);
  if (!written) {
    CHECK(!written.error().what.empty());
    return;
  }
  const auto again = import_cacao(json::to_text(*written));
  // What an export adds may be too long for an import.
  if (!again) return;
  CHECK(json::to_text(cacao::members_of(again->playbook)) ==
        json::to_text(cacao::members_of(read->playbook)));
}

void verify(const std::string& text) {
  const auto document = json::parse(text);
  if (!document || document->as_object() == nullptr) return;
  const auto checks = verify_signatures(*document->as_object(), {}, options.at);
  if (!checks) return;
  for (const SignatureCheck& check : *checks) CHECK(!check.believed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  there_and_back(text);
  verify(text);
  return 0;
}
