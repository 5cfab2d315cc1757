#include "report/bundle.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "report/report.h"
#include "report/row_set.h"

namespace mailwarden::report {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view manifest_ending = ".manifest.json";
constexpr std::string_view signature_ending = ".manifest.json.sig";
constexpr std::size_t manifest_bytes_max = 512 * 1024;

std::string file_name(const std::string& path) {
  return fs::path(path).filename().string();
}

// What a manifest says beside its files, which is what the report says.
json::Object head_of(const json::Value& report) {
  const json::Value& rests_on = report["rests_on"];
  return {{"checkpoint", rests_on["checkpoint"]},
          {"entries", rests_on["entries"]},
          {"origin", report["origin"]},
          {"period", rests_on["period"]},
          {"report", report["report"]}};
}

// A manifest whose signature holds.
Result<json::Value> open_manifest(const std::string& stem, const ledger::VerifierKey& key) {
  const auto text = read_regular_file(stem + std::string(manifest_ending), manifest_bytes_max);
  if (!text) return std::unexpected(text.error());
  const auto signature =
      read_regular_file(stem + std::string(signature_ending), manifest_bytes_max);
  if (!signature) return fail(Code::denied, "its signature: " + signature.error().what);
  const auto opened = ledger::open_note(*text + "\n" + *signature, key);
  if (!opened) return std::unexpected(opened.error());
  if (*opened != *text) return fail(Code::denied, "its signature is over another text");
  return json::parse(*text);
}

void check_file(const std::string& folder, const json::Value& file, ReportVerdict& verdict) {
  const std::string name = file.text("name");
  const std::string place = "file " + printable(name);
  if (name != file_name(name) || name.empty() || name == "." || name == "..") {
    return verdict.fail(place, "it is not the name of a file in the folder");
  }
  const auto bytes = read_regular_file((fs::path(folder) / name).string(), report_bytes_max);
  if (!bytes) return verdict.fail(place, bytes.error().what);
  if (static_cast<std::int64_t>(bytes->size()) != file.integer("bytes", -1)) {
    return verdict.fail(place, "it has " + std::to_string(bytes->size()) +
                                   " bytes, the manifest says " +
                                   std::to_string(file.integer("bytes", -1)));
  }
  if (crypto::to_hex(crypto::sha256(*bytes)) != file.text("sha256")) {
    verdict.fail(place, "its SHA-256 is not the manifest's");
  }
}

// Files of the bundle's name that the manifest does not know.
void check_strays(const std::string& folder, const std::string& name,
                  const std::set<std::string>& known, ReportVerdict& verdict) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    const std::string other = entry->path().filename().string();
    if (!other.starts_with(name + ".") || known.contains(other)) continue;
    if (other == name + std::string(manifest_ending) ||
        other == name + std::string(signature_ending)) {
      continue;
    }
    verdict.fail("file " + printable(other), "the manifest does not name it");
  }
}

// The rows that stand in the report, as the CSV beside it must have them.
void check_csvs(const std::string& stem, const json::Value& report, ReportVerdict& verdict) {
  const json::Array* const sets = report["rests_on"]["row_sets"].as_array();
  if (sets == nullptr) return;
  for (const json::Value& set : *sets) {
    const Question* const question = find_question(report.text("report"), set.text("name"));
    const std::string path = stem + "." + set.text("name") + ".csv";
    std::error_code failed;
    if (question == nullptr || set["rows"].as_array() == nullptr || !fs::exists(path, failed)) {
      continue;
    }
    const auto csv = read_regular_file(path, report_bytes_max);
    const std::string expected = csv_of(*question, *set["rows"].as_array());
    if (csv && *csv == expected) continue;
    const auto at = csv ? std::ranges::mismatch(*csv, expected).in1 - csv->begin() : 0;
    const auto line = csv ? 1 + std::count(csv->begin(), csv->begin() + at, '\n') : 1;
    verdict.fail("file " + printable(file_name(path)),
                 "from line " + std::to_string(line) + " on it is not the report's row set");
  }
}

}  // namespace

Result<void> BundleWriter::write(const std::string& ending, std::string_view bytes) {
  if (auto done = write_file_durably(path_ + ending, bytes); !done) return done;
  files_.push_back(
      {.ending = ending, .digest = crypto::to_hex(crypto::sha256(bytes)), .bytes = bytes.size()});
  return {};
}

Result<std::string> BundleWriter::seal(const json::Value& report, const std::string& origin,
                                       const crypto::Signer& signer) {
  json::Object manifest = head_of(report);
  json::Array files;
  for (const BundleFile& file : files_) {
    files.push_back(json::Object{
        {"bytes", file.bytes}, {"name", file_name(path_ + file.ending)}, {"sha256", file.digest}});
  }
  manifest["files"] = std::move(files);
  const std::string text = json::to_pretty_text(manifest) + "\n";
  const std::string note = ledger::sign_note(text, origin, signer);
  if (auto done = write_file_durably(path_ + std::string(signature_ending),
                                     std::string_view(note).substr(text.size() + 1));
      !done) {
    return std::unexpected(done.error());
  }
  if (auto done = write_file_durably(path_ + std::string(manifest_ending), text); !done) {
    return std::unexpected(done.error());
  }
  return crypto::to_hex(crypto::sha256(text));
}

void check_bundle(const std::string& report_file, const json::Value& report,
                  const ledger::VerifierKey& key, ReportVerdict& verdict) {
  const fs::path path(report_file);
  const std::string folder = path.parent_path().empty() ? "." : path.parent_path().string();
  const std::string name = path.stem().string();
  const std::string stem = (fs::path(folder) / name).string();
  check_csvs(stem, report, verdict);
  const std::string place = "file " + printable(name) + std::string(manifest_ending);
  std::error_code failed;
  if (!fs::exists(stem + std::string(manifest_ending), failed) &&
      !fs::exists(stem + std::string(signature_ending), failed)) {
    verdict.notes.emplace_back(
        "no manifest is beside it: what is no row set (the verdict over the ledger, policies, what "
        "was due) is not signed");
    return;
  }
  const auto manifest = open_manifest(stem, key);
  if (!manifest) return verdict.fail(place, manifest.error().what);
  for (const auto& [member, value] : head_of(report)) {
    if ((*manifest)[member] == value) continue;
    verdict.fail(place, "its '" + member + "' is not the report's");
  }
  std::set<std::string> known;
  const json::Array* const files = (*manifest)["files"].as_array();
  for (const json::Value& file : files == nullptr ? json::Array() : *files) {
    if (known.size() >= files_max) return verdict.fail(place, "it names too many files");
    known.insert(file.text("name"));
    check_file(folder, file, verdict);
  }
  if (!known.contains(file_name(report_file))) verdict.fail(place, "it does not name the report");
  check_strays(folder, name, known, verdict);
}

}  // namespace mailwarden::report
