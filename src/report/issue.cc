#include "report/issue.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "ledger/ledger.h"
#include "report/bundle.h"
#include "report/check_rows.h"
#include "report/pdf.h"

namespace mailwarden::report {
namespace {

// "20261124T021443Z".
std::string compact(Timestamp at) {
  std::string text = to_rfc3339(at).substr(0, 19);
  std::erase(text, '-');
  std::erase(text, ':');
  return text + "Z";
}

struct Last {
  bool nothing_new = false;
  Timestamp until = Timestamp::earliest;
  std::int64_t end = 0;  // entries told already
};

Result<Last> last_issued(db::Database& database) {
  const auto entry = ledger::last_of_kind(database, "report");
  if (!entry) return std::unexpected(entry.error());
  Last last;
  if (!*entry) return last;
  const auto record = json::parse((*entry)->record);
  const auto until = parse_rfc3339(record ? record->text("to") : "");
  if (until) last.until = *until;
  last.end = record ? record->integer("end") : 0;
  // What the ledger says of itself and of its store is nothing that a report would tell.
  const auto newer = database.integer(
      "SELECT COUNT(*) FROM (SELECT 1 FROM ledger_entry WHERE number > $1"
      " AND kind NOT IN ('key_use', 'schema', 'seal', 'start', 'state', 'stop') LIMIT 1) AS newer",
      {(*entry)->number});
  if (!newer) return std::unexpected(newer.error());
  last.nothing_new = *newer == 0;
  return last;
}

// What goes into a bundle beside the report itself.
using Tables = std::vector<std::pair<std::string, std::string>>;  // name, CSV

Result<Issued> write(const json::Object& report, const std::string& kind, const Period& period,
                     const Tables& tables, const IssueOptions& options) {
  const std::string name = kind + "-" + compact(period.to);
  const std::string path = options.folder + "/" + name;
  const std::string json = json::to_pretty_text(report) + "\n";
  Issued issued{.kind = kind,
                .file = name + ".html",
                .digest = crypto::to_hex(crypto::sha256(json)),
                .manifest = {},
                .trouble = {},
                .period = period};
  BundleWriter bundle(path);
  if (auto done = bundle.write(".json", json); !done) return std::unexpected(done.error());
  if (auto done = bundle.write(".html", render_html(report)); !done) {
    return std::unexpected(done.error());
  }
  for (const auto& [table, csv] : tables) {
    if (auto done = bundle.write("." + table + ".csv", csv); !done) {
      return std::unexpected(done.error());
    }
  }
  if (!options.weasyprint.empty()) {
    const auto pdf = make_pdf(path + ".html", path + ".json",
                              {.weasyprint = options.weasyprint, .cancelled = options.cancelled});
    if (!pdf && pdf.error().code == Code::unavailable) return std::unexpected(pdf.error());
    if (!pdf) issued.trouble = pdf.error().what;
    if (pdf) {
      if (auto done = bundle.write(".pdf", *pdf); !done) return std::unexpected(done.error());
    }
  }
  auto manifest = bundle.seal(report, options.key.name, options.signer);
  if (!manifest) return std::unexpected(manifest.error());
  issued.manifest = *std::move(manifest);
  return issued;
}

}  // namespace

Result<std::vector<Issued>> issue_due(db::Database& database,
                                      std::span<const privacy::RetentionPolicy> policies,
                                      const IssueOptions& options, Timestamp now) {
  std::vector<Issued> issued;
  const auto last = last_issued(database);
  if (!last) return std::unexpected(last.error());
  if (last->nothing_new) return issued;
  const Checks checks = all_checks(database);
  ReportOptions built{
      .key = options.key,
      .check_record = [&](std::int64_t entry, const json::Value& record) -> Result<std::string> {
        if (options.cancelled && options.cancelled()) {
          return fail(Code::unavailable, "the daemon is stopping");
        }
        return checks.record(entry, record);
      },
      .check_end = checks.end};
  auto footing = find_footing(database, built);
  if (!footing) return std::unexpected(footing.error());
  const Period period{.from = std::min(last->until, now),
                      .to = now,
                      .entries = {.first = last->end, .end = footing->size}};
  built.footing = *std::move(footing);
  Tables tables;
  built.keep = [&](const RowSet& rows) {
    if (rows.csv) tables.emplace_back(rows.question->name, *rows.csv);
  };
  for (const std::string kind : {"audit", "retention"}) {
    tables.clear();
    const auto report = kind == "audit" ? build_audit(database, period, built)
                                        : build_retention(database, period, policies, built);
    if (!report) return std::unexpected(report.error());
    auto written = write(*report, kind, period, tables, options);
    if (!written) return std::unexpected(written.error());
    issued.push_back(*std::move(written));
  }
  return issued;
}

json::Object to_record(const Issued& issued) {
  return {{"end", issued.period.entries.end},
          {"file", issued.file},
          {"first", issued.period.entries.first},
          {"from", to_rfc3339(issued.period.from)},
          {"manifest", issued.manifest},
          {"report", issued.kind},
          {"sha256", issued.digest},
          {"to", to_rfc3339(issued.period.to)}};
}

}  // namespace mailwarden::report
