#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "app/policies.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/config.h"
#include "daemon/cli/command.h"
#include "event/event_json.h"
#include "ingest/line_reader.h"
#include "ingest/source.h"

namespace mailwarden::cli {
namespace {

constexpr std::size_t record_bytes_max = std::size_t{64} * 1024;

Result<void> decode_file(const std::string& path, const ingest::DecoderSet& decoders) {
  const int descriptor = path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(Code::not_found, path + ": " + std::strerror(errno));
  ingest::LineReader reader(descriptor, 0, record_bytes_max, path != "-");
  const Timestamp now = SystemClock().now();
  const std::int64_t stream = ingest::stream_number("decode", path, 1);
  Result<void> result;
  while (true) {
    auto line = reader.next(true);
    if (!line) {
      result = fail(path, line.error());
      break;
    }
    if (!*line) break;
    const RawRecord record{.id = {stream, (*line)->position},
                           .source = "decode",
                           .bytes = std::move((*line)->bytes),
                           .received = now,
                           .partial = (*line)->partial};
    print(to_json(ingest::decode(record, decoders)) + "\n");
  }
  if (path != "-") ::close(descriptor);
  return result;
}

std::string decoder_list() {
  std::string text = "Decoders:";
  for (const auto& decoder : ingest::decoders()) {
    text +=
        "\n  " + std::string(decoder.name) +
        std::string(std::max<std::size_t>(18, decoder.name.size() + 1) - decoder.name.size(), ' ') +
        std::string(decoder.reads);
  }
  return text;
}

}  // namespace

int decode_command(const Arguments& arguments) {
  po::options_description options("Options");
  auto add = options.add_options();
  add("decoder", text_option("NAME")->default_value("auto"), "which decoder; see below");
  add("zone", text_option("ZONE")->default_value("UTC"),
      "zone of times without an offset, like Europe/Berlin");
  add("year", text_option("YEAR")->default_value("arrival"),
      "year of times without one: arrival, or four digits");
  add("mapping", text_option("FILE")->default_value(""), "a YAML file of a JSON mapping");
  int code = done;
  const std::string synopsis =
      "decode FILE... [OPTION]...\nPrints each event as a line of JSON; FILE - is standard "
      "input.\n\n" +
      decoder_list();
  const auto given = read_options(arguments, synopsis, options, "file", code);
  if (!given) return code;
  if (!given->contains("file")) return complain(usage, "which file? 'mailwarden decode FILE'");
  const config::SourceConfig source{.name = "decode",
                                    .decoder = (*given)["decoder"].as<std::string>(),
                                    .zone = (*given)["zone"].as<std::string>(),
                                    .year = (*given)["year"].as<std::string>(),
                                    .mapping = (*given)["mapping"].as<std::string>()};
  if (source.year != "arrival" && (source.year.size() != 4 || !to_integer(source.year))) {
    return complain(usage, "the year '" + source.year + "' is neither arrival nor four digits");
  }
  auto own = app::decode_options(source);
  if (!own) return complain(own.error());
  const auto decoders = ingest::DecoderSet::make({{"decode", *std::move(own)}});
  if (!decoders) return complain(decoders.error());
  for (const auto& file : (*given)["file"].as<std::vector<std::string>>()) {
    if (auto decoded = decode_file(file, *decoders); !decoded) {
      code = complain(unavailable, decoded.error().what);
    }
  }
  return code;
}

}  // namespace mailwarden::cli
