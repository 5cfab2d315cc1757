// Playbooks of every kind of step, made of a seed, such as a file can hold.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "respond/flow.h"

namespace mailwarden::respond::flow {

class RandomPlaybook {
 public:
  explicit RandomPlaybook(std::uint64_t seed) : random_(seed) {}
  Playbook make();

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(std::size_t of) { return below(of) == 0; }
  std::string text();
  Duration time();
  json::Value value(int depth);
  Operation operation(bool may_notify);
  void fill_operation(Step& step);
  void fill_branches(Step& step, int depth);
  Step step(int depth);
  // Its first step.
  std::string branch(int depth);

  std::mt19937_64 random_;
  Playbook playbook_;
  int made_ = 0;
};

}  // namespace mailwarden::respond::flow
