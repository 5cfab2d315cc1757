// Playbooks of every kind, made of a seed, for CACAO's way there and back.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "respond/flow.h"

namespace mailwarden::respond {

class CacaoPlaybooks {
 public:
  explicit CacaoPlaybooks(std::uint64_t seed) : random_(seed) {}

  flow::Playbook make();

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(std::size_t of) { return below(of) == 0; }
  std::string text();
  std::string condition(int depth);
  Duration time();
  json::Value value(int depth);
  flow::Operation operation(flow::StepKind kind);
  void fill(flow::Step& step, int depth);
  void fill_guards(flow::Step& step);
  std::string branch(int depth);

  std::mt19937_64 random_;
  flow::Playbook playbook_;
  int made_ = 0;
};

}  // namespace mailwarden::respond
