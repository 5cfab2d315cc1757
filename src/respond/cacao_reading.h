// One CACAO playbook as it is read: what is known of it so far, and what was said of it.
//
// What     The parts of the reader (cacao_read.cc, cacao_graph.cc, cacao_step.cc) write into one
//          Reading.
// Owns     The playbook that comes of it.
// Threads  One.
// Errors   Each mistake is a line with a JSON pointer.
// Limits   CacaoLimits::mistakes_max lines.
#pragma once

#include <string>
#include <vector>

#include "respond/cacao_parts.h"

namespace mailwarden::respond::cacao {

struct Reading {
  const json::Value document;
  const Hints& hints;
  flow::Playbook playbook = {};
  VariableNames names = {};
  std::vector<std::string> mistakes = {};
  std::vector<std::string> notes = {};

  void mistake(const std::string& pointer, const std::string& what);
  void note(const std::string& pointer, const std::string& what);
};

// A text member; a mistake where it is something else, or where it must be there and is not.
std::string text_of(Reading& reading, const json::Value& object, std::string_view name,
                    const std::string& pointer, bool required = false);

// Declares the variables of a dictionary of CACAO's; answers their names, CACAO's to ours.
Texts read_variables(Reading& reading, const json::Value& dictionary, const std::string& pointer);

// Follows the workflow and makes the steps.
void read_workflow(Reading& reading);

// What a step does, without what follows it and without its branches. `names` are those of its
// scope.
void read_step(Reading& reading, const json::Value& object, const std::string& pointer,
               const VariableNames& names, flow::Step& step);

}  // namespace mailwarden::respond::cacao
