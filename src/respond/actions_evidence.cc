// How this machine stands now, kept in files named by their hash.
#include <algorithm>
#include <array>
#include <filesystem>

#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "respond/action_parts.h"
#include "respond/process_list.h"

namespace mailwarden::respond {
namespace {

const EvidenceEffects& evidence(const Work& work) {
  return *work.settings.evidence;
}

struct Piece {
  std::string kind;
  std::string of;  // the file or program that it is from
  std::string bytes;
  bool whole = true;
};
using Pieces = std::vector<Piece>;

std::size_t bytes_max(const Work& work) {
  return static_cast<std::size_t>(evidence(work).bytes_max);
}

Result<Pieces> run_for(const Work& work, const std::string& kind,
                       std::vector<std::string> command) {
  const Program program{
      .command = std::move(command), .output_bytes_max = bytes_max(work), .by_become = true};
  auto end = run_program(work, program);
  if (!end) return std::unexpected(end.error());
  if (end->exit_code != 0) return fail(Code::denied, saying(program, *end));
  return Pieces{{kind, program.command.front(), std::move(end->output), end->whole}};
}

Result<Pieces> take_logs(const Work& work) {
  const std::string lines = std::to_string(evidence(work).lines);
  if (evidence(work).log_files.empty()) {
    return run_for(work, "logs",
                   {evidence(work).journalctl, "--no-pager", "--quiet", "--utc",
                    "--output=short-iso-precise", "--lines=" + lines});
  }
  Pieces all;
  for (const std::string& file : evidence(work).log_files) {
    auto piece = run_for(work, "logs", {"/usr/bin/tail", "-n", lines, "--", file});
    if (!piece) return piece;
    piece->front().of = file;
    all.push_back(std::move(piece->front()));
  }
  return all;
}

Result<Pieces> take_sockets(const Work& work) {
  return run_for(work, "sockets", {evidence(work).ss, "-tulpnH"});
}

Result<Pieces> take_firewall(const Work& work) {
  return run_for(work, "firewall", {evidence(work).nft, "-j", "list", "ruleset"});
}

Result<Pieces> take_processes(const Work& work) {
  auto list = list_processes(bytes_max(work));
  if (!list) return std::unexpected(list.error());
  return Pieces{{"processes", "/proc", std::move(list->text), list->whole}};
}

Result<Pieces> take_sessions(const Work& work) {
  return run_for(work, "sessions", {evidence(work).who, "--all"});
}

struct Taker {
  std::string_view kind;
  Result<Pieces> (*take)(const Work& work);
};
constexpr std::array takers{Taker{"logs", take_logs}, Taker{"sockets", take_sockets},
                            Taker{"firewall", take_firewall}, Taker{"processes", take_processes},
                            Taker{"sessions", take_sessions}};

Result<std::vector<const Taker*>> wanted(const Work& work) {
  std::vector<const Taker*> all;
  for (const std::string& kind : work.texts("kinds")) {
    const auto taker = std::ranges::find(takers, kind, &Taker::kind);
    if (taker == takers.end()) {
      return fail(Code::invalid, in_quotes(kind) +
                                     " is no kind of evidence; there are logs, "
                                     "sockets, firewall, processes and sessions");
    }
    if (std::ranges::find(all, &*taker) == all.end()) all.push_back(&*taker);
  }
  if (all.empty()) return fail(Code::invalid, "collect_evidence: 'kinds' names none");
  return all;
}

// Durable before anybody is told of it. The same content is the same file.
Result<std::string> keep(const Work& work, const Piece& piece) {
  const std::string hash = crypto::to_hex(crypto::sha256(piece.bytes));
  const std::string path = evidence(work).folder + "/" + hash;
  std::error_code failed;
  std::filesystem::create_directories(evidence(work).folder, failed);
  if (failed) return fail(Code::io, evidence(work).folder + ": " + failed.message());
  if (auto kept = create_private_file_durably(path, piece.bytes); !kept) {
    if (kept.error().code != Code::conflict) return std::unexpected(kept.error());
    // One that is only half there, from before a crash, has another hash.
    const auto there = read_regular_file(path, bytes_max(work));
    if (!there || *there != piece.bytes) return std::unexpected(kept.error());
  }
  return json::to_text(json::Object{{"kind", piece.kind},
                                    {"of", piece.of},
                                    {"sha256", hash},
                                    {"bytes", piece.bytes.size()},
                                    {"whole", piece.whole},
                                    {"file", path}});
}

Result<json::Object> collect(const Work& work) {
  const auto kinds = wanted(work);
  if (!kinds) return std::unexpected(kinds.error());
  std::vector<std::string> told;
  std::vector<std::string> failed;
  std::optional<Error> last;
  for (const Taker* const taker : *kinds) {
    const auto pieces = taker->take(work);
    if (!pieces) {
      failed.push_back(std::string(taker->kind) + ": " + pieces.error().what);
      last = pieces.error();
      continue;
    }
    for (const Piece& piece : *pieces) {
      const auto kept = keep(work, piece);
      if (!kept) return std::unexpected(kept.error());
      told.push_back(*kept);
    }
  }
  // What was taken counts, even where something else could not be.
  if (told.empty() && last) return std::unexpected(*last);
  const Listed shown = listed(told);
  if (!shown.whole) {
    failed.push_back("more was taken than a variable holds; all of it is in " +
                     evidence(work).folder);
  }
  return json::Object{{"evidence", shown.items}, {"failed", listed(failed).items}};
}

// Taken again it is another moment's, which harms nobody.
Result<bool> probe_collected(const Work&) {
  return false;
}

std::string describe_collect(const Work& work) {
  std::string kinds;
  for (const std::string& kind : work.texts("kinds")) kinds += (kinds.empty() ? "" : ", ") + kind;
  return "write " + printable(kinds) + " of this machine into " + evidence(work).folder +
         ", each under its SHA-256";
}

}  // namespace

const Action collect_evidence{"collect_evidence", collect, probe_collected, describe_collect};

}  // namespace mailwarden::respond
