// Commands that write reports and check them.
#include "report/report.h"

#include "app/policies.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "daemon/cli/command.h"
#include "report/bundle.h"
#include "report/check_rows.h"
#include "report/verify.h"

namespace mailwarden::cli {
namespace {

Result<ledger::VerifierKey> key_of(const po::variables_map& given) {
  const auto text = read_whole_file(given["key"].as<std::string>());
  if (!text) return fail(Code::unavailable, text.error().what);
  return ledger::parse_verifier_key(trim(*text));
}

Result<json::Object> build(const po::variables_map& given, const std::string& kind) {
  const auto key = key_of(given);
  if (!key) return std::unexpected(key.error());
  const auto from = parse_rfc3339(given["from"].as<std::string>());
  const auto to = given.contains("to") ? parse_rfc3339(given["to"].as<std::string>())
                                       : Result<Timestamp>(SystemClock().now());
  if (!from) return std::unexpected(from.error());
  if (!to) return std::unexpected(to.error());
  const auto store = open_store(given);
  if (!store) return fail(Code::unavailable, store.error().what);
  const report::Checks checks = report::all_checks(**store);
  const report::ReportOptions built{
      .key = *key, .check_record = checks.record, .check_end = checks.end};
  const auto period = report::period_between(**store, *from, *to);
  if (!period) return std::unexpected(period.error());
  if (kind == "audit") return report::build_audit(**store, *period, built);
  const auto policies = app::load_retention(given["policies"].as<std::string>());
  if (!policies) return fail(Code::not_found, policies.error().what);
  return report::build_retention(**store, *period, *policies, built);
}

int write_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  auto add = options.add_options();
  add("key", text_option("FILE"), "the verifier key (….pub)");
  add("policies", text_option("DIR")->default_value("/usr/share/mailwarden/policies"),
      "the folder of policies, for the retention report");
  add("from", text_option("TIME")->default_value("0000-01-01T00:00:00Z"), "begin of the period");
  add("to", text_option("TIME"), "end of the period; by default now");
  add("output", text_option("FILE"),
      "where to write; .json for JSON, else HTML; by default HTML on standard output");
  int code = done;
  const auto given =
      read_options(arguments,
                   "report audit|retention --store URL --key FILE [OPTION]...\n"
                   "       mailwarden report verify FILE.json --key FILE [--store URL]",
                   options, "kind", code);
  if (!given) return code;
  const std::string kind =
      given->contains("kind") ? (*given)["kind"].as<std::vector<std::string>>().front() : "";
  if ((kind != "audit" && kind != "retention") || !given->contains("store") ||
      !given->contains("key")) {
    return complain(usage,
                    "'report' needs audit or retention, --store URL and --key FILE, or verify");
  }
  const auto made = build(*given, kind);
  if (!made) return complain(made.error());
  if (!given->contains("output")) {
    print(report::render_html(*made));
    return done;
  }
  const auto output = (*given)["output"].as<std::string>();
  const std::string text =
      output.ends_with(".json") ? json::to_pretty_text(*made) + "\n" : report::render_html(*made);
  if (auto written = write_file_durably(output, text); !written) {
    return complain(unavailable, written.error().what);
  }
  return done;
}

int verify_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  add_format_option(options);
  options.add_options()("key", text_option("FILE"),
                        "the verifier key, as the daemon leaves it beside its signing key (….pub)");
  int code = done;
  const auto given =
      read_options(arguments,
                   "report verify FILE.json --key FILE [--store URL]\n"
                   "Checks a report and the files beside it; with --store asks the store again.",
                   options, "file", code);
  if (!given) return code;
  const auto files = given->contains("file") ? (*given)["file"].as<std::vector<std::string>>()
                                             : std::vector<std::string>();
  if (files.size() != 1 || !given->contains("key")) {
    return complain(usage, "'report verify' needs a report's FILE.json and --key FILE");
  }
  const auto key = key_of(*given);
  if (!key) return complain(key.error());
  const auto text = read_whole_file(files[0], report::report_bytes_max);
  if (!text) return complain(unavailable, text.error().what);
  const auto report = report::read_report(*text);
  if (!report) return complain(answer_is_no, files[0] + ": " + report.error().what);
  report::ReportVerdict verdict = report::check_report(*report, *key);
  report::check_bundle(files[0], *report, *key, verdict);
  if (given->contains("store")) {
    const auto store = open_store(*given);
    if (!store) return complain(unavailable, store.error().what);
    const auto asked = report::check_against(**store, *report,
                                             {.key = *key,
                                              .digest = crypto::to_hex(crypto::sha256(*text)),
                                              .progress = progress("entries")},
                                             verdict);
    if (!asked) return complain(unavailable, asked.error().what);
  }
  if (wants_json(*given)) {
    print_json(report::to_json(verdict));
  } else {
    print(report::to_words(verdict));
  }
  return verdict.good() ? done : answer_is_no;
}

}  // namespace

int report_command(const Arguments& arguments) {
  if (!arguments.empty() && arguments[0] == "verify") {
    return verify_command(Arguments(arguments.begin() + 1, arguments.end()));
  }
  return write_command(arguments);
}

}  // namespace mailwarden::cli
