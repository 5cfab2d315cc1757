// mailwarden playbook import, export, sign and verify: playbooks in CACAO.
#include <algorithm>
#include <array>
#include <iterator>

#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "json/value.h"
#include "respond/cacao.h"
#include "respond/flow_file.h"
#include "respond/signature.h"

namespace mailwarden::cli {
namespace {

// The one file that a command's words name.
std::optional<po::variables_map> read_file_and(const Arguments& arguments,
                                               std::string_view synopsis,
                                               const po::options_description& options, int& code) {
  auto given = read_options(arguments, synopsis, options, "file", code);
  if (!given) return given;
  if (given->contains("file") && (*given)["file"].as<std::vector<std::string>>().size() == 1) {
    return given;
  }
  code = complain(usage, "one file is needed");
  return std::nullopt;
}

Result<std::string> read_given_file(const po::variables_map& given) {
  return read_whole_file(given["file"].as<std::vector<std::string>>().front());
}

Result<json::Object> document_of(const po::variables_map& given) {
  const auto text = read_given_file(given);
  if (!text) return std::unexpected(text.error());
  auto value = json::parse(*text, {.depth_max = respond::CacaoLimits::depth_max,
                                   .bytes_max = respond::CacaoLimits::bytes_max});
  if (!value) return std::unexpected(value.error());
  if (value->as_object() == nullptr) return fail(Code::invalid, "is no JSON object");
  return std::move(*value->as_object());
}

// To the file that --output names, or to the standard output.
int deliver(const po::variables_map& given, const std::string& text) {
  if (!given.contains("output")) {
    print(text);
    return done;
  }
  const auto written = write_file_durably(given["output"].as<std::string>(), text);
  return written ? int{done} : complain(written.error());
}

std::string json_text(const json::Object& document) {
  return json::to_pretty_text(document) + "\n";
}

void add_output(po::options_description& options) {
  options.add_options()("output", text_option("FILE"), "write it there and not to standard output");
}

int import_playbook(const Arguments& arguments) {
  po::options_description options("Options");
  add_output(options);
  int code = done;
  const auto given =
      read_file_and(arguments, "playbook import FILE [--output FILE]", options, code);
  if (!given) return code;
  const auto text = read_given_file(*given);
  if (!text) return complain(text.error());
  const auto imported = respond::import_cacao(*text);
  if (!imported) return complain(answer_is_no, imported.error().what);
  for (const std::string& note : imported->notes) complain(done, printable(note));
  const auto yaml = respond::flow::to_yaml(imported->playbook);
  return yaml ? deliver(*given, *yaml) : complain(answer_is_no, yaml.error().what);
}

Result<respond::flow::Playbook> playbook_in(const po::variables_map& given) {
  const std::string& path = given["file"].as<std::vector<std::string>>().front();
  auto text = read_given_file(given);
  if (!text) return std::unexpected(text.error());
  const std::array texts{respond::flow::PlaybookText{path, *std::move(text)}};
  auto playbooks = respond::flow::parse_playbooks(texts);
  if (!playbooks) return std::unexpected(playbooks.error());
  if (playbooks->size() != 1) return fail(Code::invalid, path + ": one playbook was expected");
  return std::move(playbooks->front());
}

int export_playbook(const Arguments& arguments) {
  po::options_description options("Options");
  add_output(options);
  options.add_options()("created-by", text_option("IDENTITY"),
                        "the id of a STIX identity: who made it");
  int code = done;
  const auto given = read_file_and(
      arguments, "playbook export FILE [--created-by IDENTITY] [--output FILE]", options, code);
  if (!given) return code;
  const auto playbook = playbook_in(*given);
  if (!playbook) return complain(answer_is_no, playbook.error().what);
  respond::ExportOptions how{.at = SystemClock().now()};
  if (given->contains("created-by")) how.created_by = (*given)["created-by"].as<std::string>();
  const auto exported = respond::export_cacao(*playbook, how);
  if (!exported) return complain(answer_is_no, exported.error().what);
  return deliver(*given, json_text(*exported));
}

int sign(const Arguments& arguments) {
  po::options_description options("Options");
  add_output(options);
  auto add = options.add_options();
  add("key", text_option("FILE"), "the key file of a daemon's ledger, or one like it");
  add("signee", text_option("NAME"), "who signs, for people");
  int code = done;
  const auto given = read_file_and(
      arguments, "playbook sign FILE --key FILE --signee NAME [--output FILE]", options, code);
  if (!given) return code;
  if (!given->contains("key") || !given->contains("signee")) {
    return complain(usage, "'playbook sign' needs --key and --signee");
  }
  const auto signer = crypto::Signer::load((*given)["key"].as<std::string>());
  if (!signer) return complain(signer.error());
  auto document = document_of(*given);
  if (!document) return complain(answer_is_no, document.error().what);
  const auto made = respond::sign_playbook(*std::move(document), *signer,
                                           {.signee = (*given)["signee"].as<std::string>(),
                                            .created_by = "",
                                            .now = SystemClock().now()});
  if (!made) return complain(answer_is_no, made.error().what);
  return deliver(*given, json_text(*made));
}

Result<respond::BelievedKeys> believed_keys(const po::variables_map& given) {
  respond::BelievedKeys all;
  for (const std::string& path : given["key"].as<std::vector<std::string>>()) {
    const auto text = read_whole_file(path);
    if (!text) return std::unexpected(text.error());
    auto keys = respond::read_believed(*text);
    if (!keys) return fail(path, keys.error());
    std::ranges::move(keys->keys, std::back_inserter(all.keys));
    std::ranges::move(keys->certificates, std::back_inserter(all.certificates));
  }
  return all;
}

std::string standing(const respond::SignatureCheck& check) {
  if (check.believed) return "good";
  return check.holds ? "not believed" : "bad";
}

// Good where there is a signature and each is good.
int verify(const Arguments& arguments) {
  po::options_description options("Options");
  options.add_options()("key", po::value<std::vector<std::string>>()->value_name("FILE"),
                        "public keys or certificates in PEM that are believed; several times for "
                        "several files");
  int code = done;
  const auto given = read_file_and(arguments, "playbook verify FILE --key FILE", options, code);
  if (!given) return code;
  if (!given->contains("key")) return complain(usage, "'playbook verify' needs --key");
  const auto believed = believed_keys(*given);
  if (!believed) return complain(believed.error());
  const auto document = document_of(*given);
  if (!document) return complain(answer_is_no, document.error().what);
  const auto checks = respond::verify_signatures(*document, *believed, SystemClock().now());
  if (!checks) return complain(answer_is_no, checks.error().what);
  if (checks->empty()) return complain(answer_is_no, "the playbook is not signed");
  std::vector<std::vector<std::string>> rows;
  bool good = true;
  for (const respond::SignatureCheck& check : *checks) {
    const bool digits = check.over == respond::SignedHash::digits;
    rows.push_back({standing(check), check.signee, check.algorithm,
                    !check.holds ? ""
                    : digits     ? "hash in hexadecimal"
                                 : "hash",
                    check.why});
    good = good && check.believed;
  }
  print_table({"SIGNATURE", "BY", "ALGORITHM", "OVER", "WHY"}, rows);
  return good ? done : answer_is_no;
}

}  // namespace

int playbook_cacao_command(const Arguments& arguments) {
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "import") return import_playbook(rest);
  if (arguments[0] == "export") return export_playbook(rest);
  return arguments[0] == "sign" ? sign(rest) : verify(rest);
}

}  // namespace mailwarden::cli
