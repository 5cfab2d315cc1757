// From CACAO: what its own members say, then what the extension says beyond that, then what neither
// can hold.
#include <algorithm>

#include "respond/cacao_extension.h"
#include "respond/cacao_kept.h"
#include "respond/cacao_native.h"
#include "respond/flow_words.h"

namespace mailwarden::respond {
namespace cacao {
namespace {

using json::Object;
using json::Value;

// Takes out one of a dictionary's entries, and the dictionary where nothing is left in it.
Object take(Object& owner, std::string_view dictionary) {
  Object taken;
  const auto found = owner.find(dictionary);
  Object* const entries = found == owner.end() ? nullptr : found->second.as_object();
  if (entries == nullptr) return taken;
  if (const auto ours = entries->find(extension_id); ours != entries->end()) {
    if (ours->second.as_object() != nullptr) taken = std::move(*ours->second.as_object());
    entries->erase(ours);
  }
  if (entries->empty()) owner.erase(found);
  return taken;
}

Texts take_texts(Object& members, std::string_view name) {
  Texts out;
  const auto found = members.find(name);
  if (found == members.end()) return out;
  if (const Object* texts = found->second.as_object()) {
    for (const auto& [key, value] : *texts) {
      if (value.as_string() != nullptr) out[key] = *value.as_string();
    }
  }
  members.erase(found);
  return out;
}

Hints take_hints(Extension& extension) {
  Hints hints;
  hints.name = Value(extension.playbook).text("name");
  hints.names = take_texts(extension.playbook, "names");
  hints.given = take_texts(extension.playbook, "given");
  for (auto& [id, members] : extension.steps) {
    const auto native = members.find("step_id");
    if (native == members.end()) continue;
    const std::string* const text = native->second.as_string();
    if (text != nullptr && flow::is_step_id(*text)) hints.step_ids[id] = *text;
    members.erase(native);
  }
  return hints;
}

// Those that an export would find again by itself.
void forget_usual_ends(const std::string& playbook, const std::string& step, Object& cacao) {
  const auto found = cacao.find(member::ends);
  if (found == cacao.end()) return;
  Object& ends = *found->second.as_object();
  std::erase_if(ends, [&](const auto& end) {
    return end.second == Value(usual_end(playbook, step, end.first));
  });
  if (ends.empty()) cacao.erase(found);
}

// What an export would write otherwise is kept with the steps, and with the playbook.
Result<void> keep_rest(const Object& document, flow::Playbook& playbook) {
  const ExportOptions options{};
  auto written = write_plain(playbook, options);
  if (!written) return std::unexpected(written.error());
  const Value usual(written->document);
  const Value real(document);
  for (auto& [id, step] : playbook.steps) {
    const std::string& theirs = written->ids.at(id);
    step.cacao.merge(
        keep(*usual["workflow"][theirs].as_object(), *real["workflow"][theirs].as_object()));
    if (theirs == usual_step(playbook, step)) step.cacao.erase(std::string(member::id));
    forget_usual_ends(playbook.name, id, step.cacao);
  }
  forget_usual_ends(playbook.name, "", playbook.cacao);
  if (Value(playbook.cacao).text(member::start) == usual_start(playbook.name)) {
    playbook.cacao.erase(std::string(member::start));
  }
  playbook.cacao[std::string(member::content)] = content_digest(playbook);
  written = write_plain(playbook, options);
  if (!written) return std::unexpected(written.error());
  playbook.cacao.merge(keep(written->document, document));
  return {};
}

void tell_changes(const Object& document, const Extension& extension, Imported& imported) {
  const Value real(document);
  for (const auto& [id, members] : extension.steps) {
    const auto of = members.find("of");
    if (of == members.end() || of->second == Value(digest_of(real["workflow"][id]))) continue;
    imported.notes.push_back(below("/workflow", id) +
                             ": was changed by a tool that does not know the extension, whose word "
                             "stands where the two differ");
  }
}

// What the extension says counts.
Result<void> apply(const Extension& extension, const Texts& natives, flow::Playbook& playbook) {
  const std::string place = below("", "playbook_extensions") + "/" + std::string(extension_id);
  if (auto good = set(playbook, extension.playbook); !good) return fail(place, good.error());
  for (const auto& [id, members] : extension.steps) {
    const auto native = natives.find(id);
    if (native == natives.end()) continue;
    Object said = members;
    said.erase("of");
    if (auto good = set(playbook.steps[native->second], said); !good) {
      return fail(below("/workflow", id) + "/step_extensions/" + std::string(extension_id),
                  good.error());
    }
  }
  return {};
}

}  // namespace

Extension take_extension(Object& document) {
  Extension out;
  (void)take(document, "extension_definitions");
  out.playbook = take(document, "playbook_extensions");
  const auto workflow = document.find("workflow");
  if (workflow == document.end() || workflow->second.as_object() == nullptr) return out;
  for (auto& [id, step] : *workflow->second.as_object()) {
    if (step.as_object() == nullptr) continue;
    Object members = take(*step.as_object(), "step_extensions");
    if (!members.empty()) out.steps[id] = std::move(members);
  }
  return out;
}

Result<Imported> read_document(const Object& document, const Hints& hints) {
  auto imported = read_plain(document, hints);
  if (!imported) return imported;
  if (auto good = keep_rest(document, imported->playbook); !good) {
    return std::unexpected(good.error());
  }
  return imported;
}

namespace {

Result<Imported> import_document(Object document) {
  Extension extension = take_extension(document);
  const Hints hints = take_hints(extension);
  auto imported = read_document(document, hints);
  if (!imported) return imported;
  if (extension.playbook.empty() && extension.steps.empty()) return imported;
  const auto written = write_plain(imported->playbook, {});
  if (!written) return std::unexpected(written.error());
  Texts natives;
  for (const auto& [native, id] : written->ids) natives[id] = native;
  tell_changes(document, extension, *imported);
  if (auto good = apply(extension, natives, imported->playbook); !good) {
    return std::unexpected(good.error());
  }
  return imported;
}

}  // namespace
}  // namespace cacao

Result<Imported> import_cacao(std::string_view text) {
  auto document =
      json::parse(text, {.depth_max = CacaoLimits::depth_max, .bytes_max = CacaoLimits::bytes_max});
  if (!document) return std::unexpected(document.error());
  if (document->as_object() == nullptr)
    return fail(Code::invalid, "a CACAO playbook is a JSON object");
  return cacao::import_document(std::move(*document->as_object()));
}

}  // namespace mailwarden::respond
