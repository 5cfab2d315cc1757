// Any bytes as a record, through every decoder. The first byte picks the decoder.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "event/event_json.h"
#include "ingest/decode/decoder.h"

namespace {

using namespace mailwarden;

std::vector<ingest::DecoderSet> all_sets() {
  std::vector<ingest::DecoderSet> sets;
  for (const ingest::DecoderEntry& entry : ingest::decoders()) {
    if (entry.name == "json") continue;
    sets.push_back(ingest::DecoderSet::make(
                       {}, {.decoder = std::string(entry.name), .zone = "Europe/Amsterdam"})
                       .value());
  }
  return sets;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<ingest::DecoderSet> sets = all_sets();
  const std::size_t choice = size == 0 ? 0 : data[0] % sets.size();
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const RawRecord record{.id = {.stream = 1, .position = 2},
                         .source = "fuzz",
                         .bytes = choice == 0 ? bytes : bytes.substr(1),
                         .received = Timestamp{1'795'521'600'000'000},
                         .partial = false};
  const Event event = ingest::decode(record, sets[choice]);
  CHECK(event.raw == record.bytes);
  CHECK(event.undecoded.empty() != event.decoder.empty());
  const std::string text = to_json(event);
  const auto again = parse_event(text);
  CHECK(again.has_value());
  CHECK(to_json(*again) == text);
  return 0;
}
