// The command 'ledger verify': stores, logs as they are served, and proofs, by their keys.
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "ledger/mailed_note.h"
#include "ledger/remote.h"
#include "ledger/verify.h"
#include "net/http_client.h"
#include "report/incident_export.h"
#include "report/prove.h"
#include "report/verify_store.h"

namespace mailwarden::cli {
namespace {

using Keys = std::vector<ledger::VerifierKey>;
using Files = std::vector<std::string>;

Files files_of(const po::variables_map& given, const char* name) {
  return given.contains(name) ? given[name].as<Files>() : Files();
}

// An origin as a checkpoint has it, signed or not.
std::string origin_in(std::string_view note) {
  const auto checkpoint = ledger::parse_checkpoint(note);
  return checkpoint ? checkpoint->origin : std::string();
}

Result<Keys> read_keys(const Files& files) {
  Keys keys;
  for (const std::string& file : files) {
    const auto text = read_whole_file(file);
    if (!text) return fail(Code::unavailable, text.error().what);
    auto key = ledger::parse_verifier_key(trim(*text));
    if (!key) return fail(file, key.error());
    keys.push_back(*std::move(key));
  }
  return keys;
}

// By the first of the keys that it holds by; else why by none.
Result<report::Proven> check_proof(const std::string& text, const Keys& keys) {
  Result<report::Proven> proven = fail(Code::invalid, "no key is given");
  for (const ledger::VerifierKey& key : keys) {
    proven = report::check(text, key);
    if (proven || proven.error().code != Code::denied) break;
  }
  return proven;
}

// Proofs of entries by which a key that is believed introduces another, which is believed from then
// on.
Result<void> follow_rotations(const Files& files, Keys& keys) {
  for (const std::string& file : files) {
    const auto text = read_whole_file(file, ledger::Proof::proof_bytes_max);
    if (!text) return fail(Code::unavailable, text.error().what);
    const auto proven = check_proof(*text, keys);
    if (!proven) return fail(Code::conflict, file + ": " + proven.error().what);
    const auto change =
        ledger::parse_key_change(static_cast<std::int64_t>(proven->index), proven->record);
    const bool introduces = change && proven->record.text("kind") == ledger::key_change_kind &&
                            change->act == ledger::KeyChange::Act::introduced &&
                            std::ranges::find(keys, change->old_key) != keys.end();
    if (!introduces) {
      return fail(Code::conflict, file +
                                      ": it proves no entry by which a key that is given "
                                      "introduces another");
    }
    keys.push_back(change->new_key);
  }
  return {};
}

// "https://HOST/PREFIX" with nothing but the parts behind it.
ledger::FetchPart remote_log(std::string prefix) {
  while (prefix.ends_with('/')) prefix.pop_back();
  const auto client = std::make_shared<net::Client>();
  return [prefix, client](const std::string& part) -> Result<std::string> {
    const auto answer = client->request({.url = prefix + "/" + part});
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 200) return answer->body;
    return fail(answer->status == 404 ? Code::not_found : Code::unavailable,
                prefix + "/" + part + ": answer " + std::to_string(answer->status));
  };
}

// One log that is to be checked, wherever it lies.
struct Subject {
  std::string name;  // as it was given
  std::string origin;
  std::function<Result<ledger::Verdict>(const ledger::LogCheck& check)> verify;
};

Result<Subject> served_subject(std::string name, ledger::FetchPart fetch) {
  const auto note = fetch("checkpoint");
  if (!note) return std::unexpected(note.error());
  return Subject{.name = std::move(name),
                 .origin = origin_in(*note),
                 .verify = [fetch = std::move(fetch)](const ledger::LogCheck& check) {
                   return ledger::check_log(fetch, check);
                 }};
}

Result<Subject> store_subject(const std::string& url, const po::variables_map& given) {
  auto opened = open_store(url, given);
  if (!opened) return std::unexpected(opened.error());
  const auto store = std::make_shared<OpenedStore>(*std::move(opened));
  const auto note = ledger::last_checkpoint(**store);
  if (!note && note.error().code != Code::not_found) return std::unexpected(note.error());
  return Subject{.name = url,
                 .origin = note ? origin_in(*note) : std::string(),
                 .verify = [store](const ledger::LogCheck& check) {
                   return report::verify_store(**store, {.key = check.key,
                                                         .more_keys = check.more_keys,
                                                         .from = check.from,
                                                         .check_record = {},
                                                         .check_end = {},
                                                         .progress = check.progress});
                 }};
}

// The folder is a copy of one log, or holds a folder for each of several.
std::vector<std::string> copies_in(const std::string& folder) {
  std::error_code failed;
  if (std::filesystem::exists(folder + "/checkpoint", failed)) return {folder};
  std::vector<std::string> copies;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (std::filesystem::exists(entry.path() / "checkpoint", failed)) {
      copies.push_back(entry.path().string());
    }
  }
  std::ranges::sort(copies);
  return copies.empty() ? std::vector{folder} : copies;
}

Result<std::vector<Subject>> subjects_of(const po::variables_map& given) {
  std::vector<Subject> subjects;
  const auto add = [&](Result<Subject> subject) -> Result<void> {
    if (!subject) return std::unexpected(subject.error());
    subjects.push_back(*std::move(subject));
    return {};
  };
  for (const std::string& url : files_of(given, "store")) {
    if (auto done = add(store_subject(url, given)); !done) return std::unexpected(done.error());
  }
  for (const std::string& url : files_of(given, "url")) {
    if (auto done = add(served_subject(url, remote_log(url))); !done) {
      return std::unexpected(done.error());
    }
  }
  for (const std::string& folder : files_of(given, "folder")) {
    for (const std::string& copy : copies_in(folder)) {
      if (auto done = add(served_subject(copy, ledger::folder_log(copy))); !done) {
        return std::unexpected(done.error());
      }
    }
  }
  return subjects;
}

// Of one log alone everything that was given is about it; of several each finds its own by origin.
Result<ledger::LogCheck> check_of(const Subject& subject, bool is_alone, const Keys& keys,
                                  const Files& notes) {
  const auto is_its = [&](const std::string& origin) {
    return is_alone || origin == subject.origin;
  };
  Keys its_keys;
  for (const ledger::VerifierKey& key : keys) {
    if (is_its(key.name)) its_keys.push_back(key);
  }
  if (its_keys.empty()) {
    return fail(Code::invalid, subject.name + " is the log '" + printable(subject.origin) +
                                   "', of which no key is given");
  }
  ledger::LogCheck check{.key = its_keys.front(),
                         .more_keys = Keys(its_keys.begin() + 1, its_keys.end()),
                         .progress = progress("entries")};
  for (const std::string& note : notes) {
    if (!is_its(origin_in(note))) continue;
    if (check.from) {
      return fail(Code::invalid, "two checkpoints are given of the log '" +
                                     printable(subject.origin) + "'; give one");
    }
    check.from = note;
  }
  return check;
}

// A checkpoint that is given and looked at for no log would be believed to have been checked.
Result<void> check_notes_used(const std::vector<Subject>& subjects, const Files& notes) {
  if (subjects.size() == 1) return {};
  for (const std::string& note : notes) {
    if (std::ranges::find(subjects, origin_in(note), &Subject::origin) != subjects.end()) continue;
    return fail(Code::invalid, "a checkpoint is given of '" +
                                   printable(origin_in(note).substr(0, 100)) +
                                   "', which is none of the logs");
  }
  return {};
}

int verify_logs(const po::variables_map& given, const Keys& keys, const Files& notes) {
  const auto subjects = subjects_of(given);
  if (!subjects) return complain(unavailable, subjects.error().what);
  if (auto good = check_notes_used(*subjects, notes); !good) return complain(good.error());
  const bool is_alone = subjects->size() == 1;
  bool good = true;
  json::Array told;
  for (const Subject& subject : *subjects) {
    const auto check = check_of(subject, is_alone, keys, notes);
    if (!check) return complain(check.error());
    const auto verdict = subject.verify(*check);
    if (!verdict) return complain(unavailable, verdict.error().what);
    good = good && verdict->good();
    json::Object object = ledger::to_json(*verdict);
    if (!is_alone) {
      object["log"] = subject.name;
      object["origin"] = subject.origin;
    }
    told.push_back(std::move(object));
    if (wants_json(given)) continue;
    if (!is_alone) print(subject.name + " (" + printable(subject.origin) + "): ");
    print(ledger::to_words(*verdict));
  }
  if (wants_json(given)) {
    print_json(is_alone ? told.front() : json::Value(json::Object{{"logs", std::move(told)}}));
  }
  return good ? done : answer_is_no;
}

int verify_proof(const po::variables_map& given, const Keys& keys) {
  const std::string file = given["proof"].as<std::string>();
  const auto text = read_whole_file(file, ledger::Proof::proof_bytes_max);
  if (!text) return complain(unavailable, text.error().what);
  const auto proven = check_proof(*text, keys);
  if (!proven) return complain(answer_is_no, file + ": " + proven.error().what);
  if (wants_json(given)) {
    print_json(json::Object{{"entry", static_cast<std::int64_t>(proven->index)},
                            {"event", proven->event.value_or(json::Value())},
                            {"origin", proven->checkpoint.origin},
                            {"record", proven->record},
                            {"size", static_cast<std::int64_t>(proven->checkpoint.size)}});
    return done;
  }
  print("good: entry " + std::to_string(proven->index) + " of the log " +
        printable(proven->checkpoint.origin) + ", which had " +
        std::to_string(proven->checkpoint.size) + " entries, says\n" +
        json::to_pretty_text(proven->record) + "\n");
  if (proven->event) {
    print("and one of the events that it commits to is\n" + json::to_pretty_text(*proven->event) +
          "\n");
  }
  return done;
}

int verify_export(const po::variables_map& given, const Keys& keys) {
  const std::string file = given["export"].as<std::string>();
  std::ifstream lines(file, std::ios::binary);
  if (!lines) return complain(unavailable, "cannot read " + file);
  report::ExportCheck check(keys);
  for (std::string line; std::getline(lines, line);) check.take(line);
  if (lines.bad()) return complain(unavailable, "cannot read " + file + " to its end");
  const auto verdict = check.end();
  if (wants_json(given)) {
    print_json(report::to_json(verdict));
  } else {
    print(report::to_words(verdict));
  }
  return verdict.good() ? done : answer_is_no;
}

po::options_description verify_options() {
  po::options_description options("Options");
  add_format_option(options);
  auto add = options.add_options();
  const auto list = [](const char* placeholder) {
    return po::value<Files>()->composing()->value_name(placeholder);
  };
  add("store", list("URL"), "a store at rest or beside its daemon, for example sqlite:PATH");
  add_key_options(options);
  add("url", list("URL"), "a log as it is served: https://HOST/PREFIX");
  add("folder", list("DIR"),
      "a copy of what is served (checkpoint, tile/...), or a folder of such copies");
  add("proof", text_option("FILE"), "a proof that 'ledger prove' wrote");
  add("export", text_option("FILE"), "what 'incidents export' wrote");
  add("key", list("FILE"),
      "the verifier key, as the daemon leaves it beside its signing key (….pub); several are "
      "believed alike, each for the log that it names");
  add("rotation", list("FILE"),
      "a proof of the entry by which a key that is given introduces the one that follows it");
  add("from", list("FILE"),
      "a checkpoint kept elsewhere, or a saved mail with one: whatever it covers must still be "
      "there");
  return options;
}

}  // namespace

int ledger_verify_command(const Arguments& arguments) {
  int code = done;
  const auto given = read_options(
      arguments,
      "ledger verify --store URL|--url URL|--folder DIR|--proof FILE|--export FILE --key FILE "
      "[OPTION]...\n"
      "Several stores, URLs and folders may be given, and a key for each.",
      verify_options(), nullptr, code);
  if (!given) return code;
  const int files = (given->contains("proof") ? 1 : 0) + (given->contains("export") ? 1 : 0);
  const std::size_t logs = files_of(*given, "store").size() + files_of(*given, "url").size() +
                           files_of(*given, "folder").size();
  if (files > 1 || (files == 1) == (logs > 0) || !given->contains("key")) {
    return complain(usage,
                    "'ledger verify' needs --key FILE and one of --store, --url, --folder, "
                    "--proof, --export");
  }
  auto keys = read_keys(files_of(*given, "key"));
  if (!keys) return complain(keys.error());
  if (auto followed = follow_rotations(files_of(*given, "rotation"), *keys); !followed) {
    return complain(followed.error());
  }
  if (given->contains("proof")) return verify_proof(*given, *keys);
  if (given->contains("export")) return verify_export(*given, *keys);
  Files notes;
  for (const std::string& file : files_of(*given, "from")) {
    const auto text = read_whole_file(file, ledger::mail_bytes_max);
    if (!text) return complain(unavailable, text.error().what);
    auto note = ledger::checkpoint_note(*text);
    if (!note) return complain(answer_is_no, file + ": " + note.error().what);
    notes.push_back(*std::move(note));
  }
  return verify_logs(*given, *keys, notes);
}

}  // namespace mailwarden::cli
