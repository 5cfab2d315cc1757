// To CACAO: its own members, and in the extension whatever these do not say.
#include "respond/cacao_extension.h"
#include "respond/cacao_kept.h"
#include "respond/cacao_native.h"

namespace mailwarden::respond {
namespace cacao {
namespace {

using json::Object;
using json::Value;

Object definition() {
  return {{"type", "extension-definition"},
          {"name", "Mailwarden"},
          {"description",
           "What Mailwarden's playbooks say beyond CACAO: retries, approvals, undo, probes, rates, "
           "rounds, dry runs, and the kinds of its steps."},
          {"created_by", identity_id},
          {"schema",
           "The JSON schema cacao_extension.schema.json, which is installed with "
           "Mailwarden's documents."},
          {"version", extension_version}};
}

Object& dictionary(Object& owner, const std::string& name) {
  Value& value = owner[name];
  if (value.as_object() == nullptr) value = Object();
  return *value.as_object();
}

void put(Object& owner, const std::string& name, Object members) {
  dictionary(owner, name)[std::string(extension_id)] = std::move(members);
}

Object of_texts(const Texts& texts) {
  return Object(texts.begin(), texts.end());
}

bool is_same(const flow::Playbook& read, flow::Playbook meant) {
  meant.file = read.file;
  meant.version = read.version;
  return read == meant;
}

// What CACAO's own members do not say, as an import would miss it.
void add_extension(const flow::Playbook& read, const flow::Playbook& meant, const Written& written,
                   Object& document) {
  Object members = difference(read, meant);
  members["name"] = meant.name;
  if (!written.hints.names.empty()) members["names"] = of_texts(written.hints.names);
  if (!written.hints.given.empty()) members["given"] = of_texts(written.hints.given);
  put(document, "playbook_extensions", std::move(members));
  Object& workflow = *document["workflow"].as_object();
  for (const auto& [id, step] : meant.steps) {
    Object& object = *workflow[written.ids.at(id)].as_object();
    Object said = difference(read.steps.at(id), step);
    said["step_id"] = id;
    said["of"] = digest_of(object);
    put(object, "step_extensions", std::move(said));
  }
  put(document, "extension_definitions", definition());
}

}  // namespace

Result<Object> export_playbook(const flow::Playbook& playbook, const ExportOptions& options) {
  auto written = write_plain(playbook, options);
  if (!written) return std::unexpected(written.error());
  Object document = written->document;
  // An empty dictionary of extensions counts for nothing, and could not be told from one of ours.
  (void)take_extension(document);
  const auto alone = read_document(document, {});
  if (alone && is_same(alone->playbook, playbook)) return document;
  const auto read = read_document(document, written->hints);
  if (!read) return std::unexpected(read.error());
  const Value whole(document);
  for (const auto& [id, step] : playbook.steps) {
    if (!read->playbook.steps.contains(id) ||
        whole["workflow"][written->ids.at(id)].as_object() == nullptr) {
      return fail(Code::invalid, "no branch has the step '" + id + "'");
    }
  }
  add_extension(read->playbook, playbook, *written, document);
  return document;
}

}  // namespace cacao

Result<json::Object> export_cacao(const flow::Playbook& playbook, const ExportOptions& options) {
  return cacao::export_playbook(playbook, options);
}

}  // namespace mailwarden::respond
