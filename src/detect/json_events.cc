#include "detect/json_events.h"

#include "detect/windows_event.h"
#include "event/event_json.h"

namespace mailwarden::detect {
namespace {

constexpr std::size_t known_name_max = 256;

FieldKind kind_of(json::LeafKind kind) {
  switch (kind) {
    case json::LeafKind::string:
      return FieldKind::string;
    case json::LeafKind::number:
      return FieldKind::number;
    case json::LeafKind::boolean:
      return FieldKind::boolean;
    case json::LeafKind::null:
      break;
  }
  return FieldKind::null;
}

// As `mailwarden decode` prints it: its members stand in the order of their names.
bool may_be_own_form(std::span<const json::Leaf> leaves) {
  if (leaves.empty() || leaves.back().path != "time") return false;
  const std::string_view first = leaves.front().path;
  return first == "decoder" || first == "id" || first.starts_with("fields.");
}

}  // namespace

Result<void> JsonEvents::read(std::string_view object, const FieldNames& names, EventView& view) {
  const auto flat = flattener_.flatten_padded(object);
  if (!flat) return std::unexpected(flat.error());
  const std::span<const json::Leaf> leaves = *flat;
  if (may_be_own_form(leaves)) {
    if (auto event = parse_event(object)) {
      event_ = *std::move(event);
      view.fill(names, event_);
      const Logsource& own = event_.logsource;
      set_logsource({own.product, own.category, own.service}, view);
      return {};
    }
  }
  view.begin(names);
  if (!leaves.empty() && is_windows_path(leaves.front().path)) {
    read_windows(leaves, names, view);
  } else {
    read_plain(leaves, names, view);
  }
  return {};
}

void JsonEvents::read_plain(std::span<const json::Leaf> leaves, const FieldNames& names,
                            EventView& view) {
  LogsourceView own;
  if (names_ != names.identity()) {
    names_ = names.identity();
    fields_.clear();
  }
  std::size_t place = 0;
  for (const json::Leaf& leaf : leaves) {
    view.add(field_at(place++, leaf.path, names), leaf.text, kind_of(leaf.kind));
    if (leaf.kind != json::LeafKind::string) continue;
    if (leaf.path == "product") own.product = leaf.text;
    if (leaf.path == "category") own.category = leaf.text;
    if (leaf.path == "service") own.service = leaf.text;
  }
  set_logsource(own, view);
}

FieldId JsonEvents::field_at(std::size_t place, std::string_view name, const FieldNames& names) {
  if (name.size() > known_name_max) return names.find(name);
  if (place >= fields_.size()) fields_.resize(place + 1);
  KnownField& known = fields_[place];
  if (known.name != name || name.empty()) {
    known.name = name;
    known.field = names.find(name);
  }
  return known.field;
}

void JsonEvents::read_windows(std::span<const json::Leaf> leaves, const FieldNames& names,
                              EventView& view) {
  std::string_view channel;
  std::string_view id;
  std::string_view kind;
  for (const json::Leaf& leaf : leaves) {
    name_.clear();
    append_windows_name(name_, leaf.path);
    // The data of an event may have fields of the same names.
    const bool head = leaf.path.starts_with("Event.System.");
    if (head && name_ == "Channel") channel = leaf.text;
    if (head && name_ == "EventID") id = leaf.text;
    if (!head && name_ == "EventType") kind = leaf.text;
    view.add(name_.empty() ? no_field : names.find(name_), leaf.text, kind_of(leaf.kind));
  }
  const LogsourceView own = windows_logsource(channel, id, kind);
  set_logsource(own, view);
  if (own.service != "security" || own.category != "process_creation") return;
  for (const json::Leaf& leaf : leaves) {
    name_.clear();
    append_windows_name(name_, leaf.path);
    const FieldId field = names.find(process_creation_name(name_));
    if (field != no_field && !view.has(field)) view.add(field, leaf.text, kind_of(leaf.kind));
  }
}

void JsonEvents::set_logsource(const LogsourceView& own, EventView& view) const {
  auto choose = [](const std::string& stated, std::string_view part) {
    return stated.empty() ? part : std::string_view(stated);
  };
  view.set_logsource(choose(stated_.product, own.product), choose(stated_.category, own.category),
                     choose(stated_.service, own.service));
}

}  // namespace mailwarden::detect
