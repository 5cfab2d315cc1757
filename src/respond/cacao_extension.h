// The extension for CACAO, as import and export share it.
//
// What     A CACAO playbook holds the extension in dictionaries of the playbook and of its steps.
//          take_extension() takes it out; read_document() reads what is left, with what an export
//          would write otherwise kept in `cacao`.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid, all mistakes together.
// Limits   CacaoLimits, FlowLimits.
#pragma once

#include <map>
#include <string>

#include "respond/cacao_parts.h"

namespace mailwarden::respond::cacao {

struct Extension {
  json::Object playbook;
  std::map<std::string, json::Object, std::less<>> steps;  // by CACAO's id
};

// Dictionaries of extensions that are then empty are taken out, too.
Extension take_extension(json::Object& document);

Result<Imported> read_document(const json::Object& document, const Hints& hints);

}  // namespace mailwarden::respond::cacao
