#include "base/text.h"
#include "ledger/merkle.h"
#include "report/incident_export.h"
#include "report/proof_parts.h"

namespace mailwarden::report {
namespace {

Result<ledger::Digest> leaf_of(const json::Value& line) {
  const auto leaf = crypto::digest_from_hex(line.text("leaf"));
  if (!leaf) return fail(Code::invalid, "it has neither a record with its salt nor a leaf");
  return *leaf;
}

std::string counted(std::int64_t count, const char* one, const char* many) {
  return std::to_string(count) + (count == 1 ? one : many);
}

}  // namespace

json::Object to_json(const ExportVerdict& verdict) {
  return {{"entries", verdict.entries},
          {"erased", verdict.erased},
          {"events", verdict.events},
          {"good", verdict.good()},
          {"origin", verdict.checkpoint.origin},
          {"problems", json::Array(verdict.problems.begin(), verdict.problems.end())},
          {"size", static_cast<std::int64_t>(verdict.checkpoint.size)},
          {"unproved", verdict.unproved}};
}

std::string to_words(const ExportVerdict& verdict) {
  std::string words = verdict.good() ? "good: " : "NOT GOOD: ";
  words += counted(verdict.entries, " entry and ", " entries and ") +
           counted(verdict.events, " event", " events") + " are proved by the log " +
           printable(verdict.checkpoint.origin) + ", which had " +
           std::to_string(verdict.checkpoint.size) + "; " + std::to_string(verdict.erased) +
           " were erased, " + std::to_string(verdict.unproved) + " are not proved yet\n";
  for (const std::string& one : verdict.problems) words += "  " + printable(one) + "\n";
  return words;
}

void ExportCheck::add_problem(const std::string& what) {
  if (verdict_.problems.size() == ExportVerdict::problems_max) return;
  verdict_.problems.push_back(what);
}

// At the line that was taken last.
void ExportCheck::problem(const std::string& what) {
  add_problem("line " + std::to_string(lines_) + ": " + what);
}

void ExportCheck::take(std::string_view text) {
  ++lines_;
  const auto line = json::parse(text);
  if (!line || line->as_object() == nullptr || line->as_object()->size() != 1) {
    return problem("it is no JSON object with one member");
  }
  if (has_ended_) return problem("it stands behind the end");
  const auto& [what, said] = *line->as_object()->begin();
  if (what == "checkpoint") return take_checkpoint(said);
  if (what == "entry") return take_entry(said);
  if (what == "event") return take_event(said);
  if (what == "incident") {
    standings_[said.integer("number")].told = said;
  } else if (what == "end") {
    has_ended_ = true;
    if (said.integer("lines", -1) != lines_ - 1) {
      problem("it counts other lines than stand above it");
    }
  } else if (what != "run" && what != "escalation" && what != "alert") {
    problem("'" + what + "' is nothing that an export tells");
  }
}

void ExportCheck::take_checkpoint(const json::Value& note) {
  const std::string* const text = note.as_string();
  auto opened = ledger::open_checkpoint(text == nullptr ? std::string() : *text, keys_);
  if (!opened) return problem("the checkpoint: " + opened.error().what);
  verdict_.checkpoint = std::move(opened->checkpoint);
}

void ExportCheck::take_entry(const json::Value& line) {
  const std::int64_t number = line.integer("number", -1);
  const std::string name = "entry " + std::to_string(number);
  if (number < 0) return problem("an entry without a number");
  // Batches of events come again on other pages.
  if (line.text("kind") != "events" && !seen_.insert(number).second) {
    return problem(name + " stands there twice");
  }
  const bool is_erased = line["record"].is_null();
  const auto content = is_erased ? Result<Content>(Content{}) : read_content(line);
  if (!content) return problem(name + ": " + content.error().what);
  const auto leaf = is_erased ? leaf_of(line) : Result<ledger::Digest>(content->leaf);
  if (!leaf) return problem(name + ": " + leaf.error().what);
  verdict_.erased += is_erased ? 1 : 0;
  if (line["hashes"].is_null()) {
    ++verdict_.unproved;
  } else {
    const auto hashes = read_hashes(line["hashes"]);
    if (!hashes) return problem(name + ": " + hashes.error().what);
    const auto& [origin, size, root] = verdict_.checkpoint;
    const auto index = static_cast<std::uint64_t>(number);
    if (index >= size || !ledger::verify_inclusion(*leaf, index, size, *hashes, root)) {
      return problem(name + " is not what the log has there");
    }
    ++verdict_.entries;
    if (line.text("kind") == "events") batches_[number] = content->record;
  }
  if (!is_erased) take_record(number, content->record);
}

void ExportCheck::take_record(std::int64_t number, const json::Value& record) {
  if (record.text("kind") != "incident") return;
  const auto found = standings_.find(record.integer("incident"));
  if (found == standings_.end()) {
    return problem("entry " + std::to_string(number) + " is of an incident that is not told");
  }
  Standing& standing = found->second;
  const std::int64_t sequence = record.integer("sequence");
  if (!standing.changes.insert(sequence).second) {
    return problem("change " + std::to_string(sequence) + " of the incident stands there twice");
  }
  if (sequence > standing.told.integer("changes_count")) return;
  const json::Value& after = record["after"];
  if (!after["severity"].is_null()) standing.severity = after["severity"];
  if (!after["state"].is_null()) standing.state = after["state"];
}

void ExportCheck::take_event(const json::Value& line) {
  if (line["erased"] == json::Value(true)) {
    ++verdict_.erased;
    return;
  }
  const std::string name = "event " + line.text("id");
  if (line["hashes"].is_null()) {
    ++verdict_.unproved;
    return;
  }
  const auto batch = batches_.find(line.integer("entry", -1));
  if (batch == batches_.end()) {
    ++verdict_.unproved;
    return;
  }
  const auto record = check_event(line, batch->second);
  if (!record) return problem(name + ": " + record.error().what);
  if (record->text("id") != line.text("id")) return problem(name + " is another one by its record");
  ++verdict_.events;
}

void ExportCheck::check_standing(std::int64_t incident, const Standing& standing) {
  const std::string name = "incident " + std::to_string(incident);
  const std::int64_t count = standing.told.integer("changes_count");
  const std::int64_t missing =
      count - std::distance(standing.changes.lower_bound(1), standing.changes.upper_bound(count));
  if (missing > verdict_.erased) {
    add_problem(name + ": " + std::to_string(missing) + " of its " + std::to_string(count) +
                " changes are missing");
  }
  // What was erased may have changed them.
  if (missing > 0) return;
  if (standing.told["severity"] != standing.severity) {
    add_problem(name + ": its severity is not what its changes lead to");
  }
  if (standing.told["state"] != standing.state) {
    add_problem(name + ": its state is not what its changes lead to");
  }
}

ExportVerdict ExportCheck::end() {
  if (!has_ended_) add_problem("the export has no end: it was cut");
  if (standings_.empty()) add_problem("no incident is told");
  for (const auto& [number, standing] : standings_) check_standing(number, standing);
  return std::move(verdict_);
}

}  // namespace mailwarden::report
