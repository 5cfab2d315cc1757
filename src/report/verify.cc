#include "report/verify.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/text.h"
#include "json/base64.h"
#include "ledger/span.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/row_set.h"

namespace mailwarden::report {
namespace {

// A report being checked without a store.
struct Checked {
  const json::Value& report;
  const json::Value& rests_on;
  std::string kind;
  ledger::EntryRange entries;
  ReportVerdict verdict;
  std::map<std::string, const json::Array*, std::less<>> rows;  // of the sets that it holds
};

const json::Array& items(const json::Value& list) {
  static const json::Array none;
  return list.as_array() == nullptr ? none : *list.as_array();
}

std::string place_of(const json::Value& set) {
  return "row set '" + printable(set.text("name")) + "'";
}

// What a question's parameters are at these entries.
json::Array parameters_at(const Question& question, const ledger::EntryRange& entries) {
  if (question.from_beginning) return {entries.end};
  if (question.kind.empty()) return {entries.first, entries.end};
  return {question.kind, entries.first, entries.end};
}

std::optional<ledger::Checkpoint> check_footing(Checked& checked, const ledger::VerifierKey& key) {
  const auto checkpoint = ledger::open_checkpoint(checked.rests_on.text("checkpoint"), key);
  if (!checkpoint) {
    checked.verdict.fail("checkpoint", checkpoint.error().what);
    return std::nullopt;
  }
  if (checked.rests_on.text("verifier_key") != ledger::to_text(key)) {
    checked.verdict.fail("verifier_key", "it is not the key that the report is checked with");
  }
  if (checked.report.text("origin") != key.name) {
    checked.verdict.fail("origin", "it is not '" + key.name + "', whose checkpoint this is");
  }
  const auto& [first, end] = checked.entries;
  if (first < 0 || end < first || static_cast<std::uint64_t>(end) > checkpoint->size) {
    checked.verdict.fail("entries", "the checkpoint covers " + std::to_string(checkpoint->size) +
                                        " entries, not " + std::to_string(first) + " to " +
                                        std::to_string(end));
    return std::nullopt;
  }
  const auto from = parse_rfc3339(checked.rests_on["period"].text("from"));
  const auto to = parse_rfc3339(checked.rests_on["period"].text("to"));
  if (!from || !to || *to < *from) checked.verdict.fail("period", "it ends before it begins");
  if (checked.report.text("generated") != checked.rests_on["period"].text("to")) {
    checked.verdict.fail("generated", "it is not the end of the period");
  }
  return *checkpoint;
}

// Number and digests of the rows that stand in the report.
void check_rows(Checked& checked, const json::Value& set) {
  const json::Array* const rows = set["rows"].as_array();
  if (rows == nullptr) {
    checked.verdict.notes.push_back(place_of(set) +
                                    ": its rows are too many to stand in the report; its figures "
                                    "can only be checked with the store");
    return;
  }
  ++checked.verdict.row_sets;
  checked.verdict.rows += static_cast<std::int64_t>(rows->size());
  const RowDigests digests = digests_of(*rows);
  if (set.integer("count", -1) != static_cast<std::int64_t>(rows->size())) {
    checked.verdict.fail(place_of(set), "it tells of " + std::to_string(set.integer("count", -1)) +
                                            " rows and holds " + std::to_string(rows->size()));
  }
  if (set.text("sha256") != crypto::to_hex(digests.rows)) {
    checked.verdict.fail(place_of(set), "its rows have the SHA-256 " +
                                            crypto::to_hex(digests.rows) +
                                            ", not the one that is told of them");
  }
  if (!set["leaves_sha256"].is_null() &&
      set.text("leaves_sha256") != crypto::to_hex(digests.leaves)) {
    checked.verdict.fail(place_of(set), "its leaves have another SHA-256 than is told of them");
  }
  checked.rows[set.text("name")] = rows;
}

void check_row_sets(Checked& checked) {
  const auto questions = questions_of(checked.kind);
  std::set<std::string, std::less<>> seen;
  for (const json::Value& set : items(checked.rests_on["row_sets"])) {
    const Question* const question = find_question(checked.kind, set.text("name"));
    if (question == nullptr || !seen.insert(set.text("name")).second) {
      checked.verdict.fail(place_of(set), "no such report has it, or it stands there twice");
      continue;
    }
    if (set.text("sql") != question->sql ||
        set["parameters"] != json::Value(parameters_at(*question, checked.entries))) {
      checked.verdict.fail(place_of(set),
                           "its query is not the one that its name and the entries stand for");
    }
    const bool stays = question->stays == Stays::always;
    if (set.text("about") != question->about ||
        set.text("stays") != (stays ? "always" : "as it stood") ||
        set["leaves_sha256"].is_null() != question->kind.empty()) {
      checked.verdict.fail(place_of(set), "it is described as something else than it is");
    }
    check_rows(checked, set);
  }
  for (const Question* const question : questions) {
    if (seen.contains(question->name)) continue;
    checked.verdict.fail("row set '" + std::string(question->name) + "'", "it is missing");
  }
}

std::vector<ledger::Digest> digests_in(std::string_view bytes) {
  std::vector<ledger::Digest> digests(bytes.size() / sizeof(ledger::Digest));
  for (std::size_t i = 0; i < digests.size(); ++i) {
    std::ranges::copy(
        crypto::as_bytes(bytes.substr(i * sizeof(ledger::Digest))).first(sizeof(ledger::Digest)),
        digests[i].begin());
  }
  return digests;
}

// The leaves of the report's entries, where they are proved to stand in the checkpoint's log.
std::optional<std::vector<ledger::Digest>> check_proof(Checked& checked,
                                                       const ledger::Checkpoint& checkpoint) {
  const auto& [first, end] = checked.entries;
  const json::Value& proof = checked.rests_on["proof"];
  if (first == end) return std::nullopt;
  if (proof.is_null()) {
    checked.verdict.notes.push_back(
        "no proof is attached: whether the rows stand in the log is only known with the store");
    return std::nullopt;
  }
  const auto bytes = json::from_base64(proof.text("leaves"));
  std::string around_bytes;
  for (const json::Value& one : items(proof["around"])) {
    const auto hash = json::from_base64(one.as_string() == nullptr ? "" : *one.as_string());
    around_bytes += hash && hash->size() == sizeof(ledger::Digest) ? *hash : "";
  }
  if (!bytes || bytes->size() % sizeof(ledger::Digest) != 0 ||
      bytes->size() / sizeof(ledger::Digest) != static_cast<std::size_t>(end - first)) {
    checked.verdict.fail("proof", "it has not one leaf for each entry");
    return std::nullopt;
  }
  std::vector<ledger::Digest> leaves = digests_in(*bytes);
  const auto root = ledger::span_root(checkpoint.size, static_cast<std::uint64_t>(first), leaves,
                                      digests_in(around_bytes));
  if (!root || *root != checkpoint.root) {
    checked.verdict.fail(
        "proof", root ? "it leads to another root than the checkpoint's" : root.error().what);
    return std::nullopt;
  }
  return leaves;
}

// "" where the row is the ledger entry that it says it is.
std::string unproven(const json::Value& row, const Question& question,
                     const ledger::EntryRange& entries, const std::vector<ledger::Digest>& leaves) {
  const std::int64_t number = row.integer("entry", -1);
  if (number < entries.first || number >= entries.end) return "it is none of the report's entries";
  const auto leaf = crypto::digest_from_hex(row.text("leaf"));
  if (!leaf || *leaf != leaves[static_cast<std::size_t>(number - entries.first)]) {
    return "its leaf is not the one in the log";
  }
  if (row["record"].is_null()) return {};  // erased before the report was made
  const std::string salt_text = row.text("salt");
  // A salt has half the length of a digest.
  const auto salt = crypto::digest_from_hex(salt_text + std::string(salt_text.size(), '0'));
  if (!salt || salt_text.size() != 2 * std::tuple_size_v<ledger::Salt>) return "it has no salt";
  const auto content = ledger::commitment(std::span(*salt).first<std::tuple_size_v<ledger::Salt>>(),
                                          json::to_text(row["record"]));
  if (ledger::leaf_hash(content) != *leaf) return "its record is not what its leaf commits to";
  if (row["record"].text("kind") != question.kind) return "it is an entry of another kind";
  return {};
}

void check_entries(Checked& checked, const std::vector<ledger::Digest>& leaves) {
  for (const auto& [name, rows] : checked.rows) {
    const Question* const question = find_question(checked.kind, name);
    if (question == nullptr || question->kind.empty()) continue;
    std::int64_t before = -1;
    for (const json::Value& row : *rows) {
      const std::int64_t number = row.integer("entry", -1);
      std::string wrong = number > before ? unproven(row, *question, checked.entries, leaves)
                                          : "it does not come behind the row before it";
      before = std::max(before, number);
      if (wrong.empty()) {
        ++checked.verdict.proven;
        continue;
      }
      checked.verdict.fail("row set '" + name + "', entry " + std::to_string(number),
                           std::move(wrong));
    }
  }
}

std::vector<privacy::RetentionPolicy> policies_in(const json::Value& list) {
  std::vector<privacy::RetentionPolicy> policies;
  for (const json::Value& one : items(list)) {
    privacy::RetentionPolicy policy{.category = one.text("category"),
                                    .keep = std::chrono::seconds(std::clamp<std::int64_t>(
                                        one.integer("keep_seconds"), 0, std::int64_t{1} << 40))};
    for (const json::Value& source : items(one["sources"])) {
      if (const std::string* const text = source.as_string()) policy.sources.push_back(*text);
    }
    policies.push_back(std::move(policy));
  }
  return policies;
}

// How two values of one name differ, in as few words as tell it.
std::string difference(const json::Value& said, const json::Value& found) {
  const json::Array* const these = said.as_array();
  const json::Array* const those = found.as_array();
  if (said.is_null()) return "it is missing";
  if (these == nullptr || those == nullptr) {
    const auto brief = [](const json::Value& value) {
      return printable(json::to_text(value).substr(0, 60));
    };
    return "the report says " + brief(said) + ", its rows give " + brief(found);
  }
  const auto differs = std::ranges::mismatch(*these, *those);
  return "the report lists " + std::to_string(these->size()) + ", its rows give " +
         std::to_string(those->size()) + "; they differ from number " +
         std::to_string(differs.in1 - these->begin() + 1) + " on";
}

void check_figures(Checked& checked) {
  bool all = true;
  const RowReader read = [&](std::string_view name, const EachRow& each) -> Result<void> {
    const auto set = checked.rows.find(name);
    if (set == checked.rows.end()) {
      all = false;
      return {};
    }
    for (const json::Value& row : *set->second) each(row);
    return {};
  };
  const auto figures =
      checked.kind == "audit"
          ? audit_figures(read, checked.rests_on.integer("rows_max", ReportOptions().rows_max))
          : retention_figures(read, policies_in(checked.report["policies"]));
  if (!figures || !all) return;
  std::set<std::string, std::less<>> known{"generated", "ledger", "origin", "report", "rests_on"};
  if (checked.kind == "retention") {
    known.insert({"complete", "due", "held", "policies", "without_policy"});
  }
  for (const auto& [name, found] : *figures) {
    known.insert(name);
    const json::Value& said = checked.report[name];
    if (said != found) checked.verdict.fail("'" + name + "'", difference(said, found));
  }
  for (const auto& [name, value] : *checked.report.as_object()) {
    if (known.contains(name)) continue;
    checked.verdict.fail("'" + printable(name) + "'", "it comes of no row set");
  }
}

}  // namespace

void ReportVerdict::fail(std::string place, std::string what) {
  if (failures.size() < ledger::failures_max)
    failures.push_back({std::move(place), std::move(what)});
}

Result<json::Value> read_report(std::string_view text) {
  auto report = json::parse(text, {.bytes_max = report_bytes_max});
  if (!report) return report;
  if (report->as_object() == nullptr || questions_of(report->text("report")).empty()) {
    return mailwarden::fail(Code::invalid, "it is neither an audit nor a retention report");
  }
  return report;
}

ReportVerdict check_report(const json::Value& report, const ledger::VerifierKey& key) {
  const json::Value& rests_on = report["rests_on"];
  Checked checked{.report = report,
                  .rests_on = rests_on,
                  .kind = report.text("report"),
                  .entries = {.first = rests_on["entries"].integer("first", -1),
                              .end = rests_on["entries"].integer("end", -1)},
                  .verdict = {},
                  .rows = {}};
  if (report.as_object() == nullptr || questions_of(checked.kind).empty()) {
    checked.verdict.fail("report", "it is neither an audit nor a retention report");
    return checked.verdict;
  }
  const auto checkpoint = check_footing(checked, key);
  check_row_sets(checked);
  if (checkpoint) {
    if (const auto leaves = check_proof(checked, *checkpoint)) check_entries(checked, *leaves);
  }
  check_figures(checked);
  return checked.verdict;
}

json::Object to_json(const ReportVerdict& verdict) {
  json::Array failures;
  for (const ledger::Failure& one : verdict.failures) {
    failures.push_back(json::Object{{"place", one.place}, {"what", one.what}});
  }
  json::Array notes;
  for (const std::string& note : verdict.notes) notes.emplace_back(note);
  return {{"failures", std::move(failures)}, {"good", verdict.good()},
          {"notes", std::move(notes)},       {"proven", verdict.proven},
          {"row_sets", verdict.row_sets},    {"rows", verdict.rows}};
}

std::string to_words(const ReportVerdict& verdict) {
  std::string text = verdict.good() ? "good: " : "NOT GOOD: ";
  text += std::to_string(verdict.row_sets) + " row sets, " + std::to_string(verdict.rows) +
          " rows, of which " + std::to_string(verdict.proven) + " are proved to stand in the log\n";
  for (const ledger::Failure& one : verdict.failures) {
    text += "  " + one.place + ": " + one.what + "\n";
  }
  for (const std::string& note : verdict.notes) text += "  note: " + note + "\n";
  return text;
}

}  // namespace mailwarden::report
