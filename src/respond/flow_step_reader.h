// One step of a playbook file.
//
// What     A StepReader reads all of a step but the branches below it and the ways out of it, which
//          flow_file.cc follows.
// Owns     Nothing.
// Threads  One.
// Errors   Mistakes of the yaml::Reader.
// Limits   FlowLimits, text_bytes_max.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "json/yaml_reader.h"
#include "respond/flow.h"

namespace mailwarden::respond::flow {

class StepReader {
 public:
  StepReader(yaml::Reader& reader, const yaml::Node& node) : reader_(reader), node_(node) {}

  // Its id is "" where it has none that could be used.
  Step read();

 private:
  void read_kind();
  void check_known() const;
  void read_common();
  void read_doing();
  void read_asking();
  void read_choosing();
  void read_playbook();
  void read_set();
  void read_probe();
  void read_undo();
  void read_retry();
  std::string condition(const yaml::Node& map, std::string_view name);

  yaml::Reader& reader_;
  const yaml::Node& node_;
  Step step_;
};

// What a file says in several places.
Rate read_rate(yaml::Reader& reader, const yaml::Node& map);
// A text in which variables may stand.
std::string read_template(yaml::Reader& reader, const yaml::Node& map, std::string_view name);
// The name of a member of a map, which YAML would not read again if it were longer.
inline constexpr std::size_t name_bytes_max = 256;
void check_name(yaml::Reader& reader, const yaml::Node& name);
// Plain scalars that are a truth, a number or null become one; with variables in its texts, which
// are looked at if `with_variables`.
json::Value read_json(yaml::Reader& reader, const yaml::Node& node, bool with_variables);

}  // namespace mailwarden::respond::flow
