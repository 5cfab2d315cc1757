// Reads on_call.yaml.
#include <algorithm>
#include <set>

#include "alert/on_call.h"
#include "base/text.h"
#include "json/yaml_reader.h"

namespace mailwarden::alert {
namespace {

using yaml::Node;

constexpr Duration coming_year = std::chrono::days(365);

// "2026-01-05 09:00"
std::string local_text(Timestamp local) {
  std::string text = to_rfc3339(local).substr(0, 16);
  text[10] = ' ';
  return text;
}

// "2026-01-05 09:00" or "2026-01-05T09:00"; a date alone where `date_only`.
std::optional<Timestamp> parse_local(std::string_view text, bool date_only) {
  if (text.size() != (date_only ? 10U : 16U)) return std::nullopt;
  std::string whole = date_only ? std::string(text) + "T00:00" : std::string(text);
  const auto parsed = parse_rfc3339(whole + ":00Z");
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::optional<Duration> parse_shift(std::string_view text) {
  if (text == "daily") return std::chrono::days(1);
  if (text == "weekly") return std::chrono::days(7);
  const auto length = parse_duration(text);
  const bool whole = length && (text.ends_with('h') || text.ends_with('d') || text.ends_with('w'));
  if (!whole || *length <= Duration(0) || *length > OnCallLimits::shift_max) return std::nullopt;
  return *length;
}

class OnCallFile {
 public:
  OnCallFile(const std::string& file, Timestamp now) : reader_(file), now_(now) {}

  Result<void> read(std::string_view text, std::vector<Contact>& people,
                    std::vector<Schedule>& schedules) {
    const auto documents = reader_.documents(text);
    const bool empty = documents.empty() || (documents.size() == 1 && documents[0].is_null());
    if (empty && reader_.mistakes().empty()) return {};
    if (documents.size() == 1) {
      if (reader_.is_map(documents[0], "the file", {"people", "schedules"})) {
        for (const Node& node : list(documents[0], "people", OnCallLimits::people_max, "people")) {
          people.push_back(read_person(node));
        }
        for (const Node& node :
             list(documents[0], "schedules", OnCallLimits::schedules_max, "schedules")) {
          schedules.push_back(read_schedule(node));
        }
      }
    } else if (reader_.mistakes().empty()) {
      return fail(Code::invalid,
                  reader_.file() + ": must hold one document with 'people' and 'schedules'");
    }
    if (!reader_.mistakes().empty()) return fail(Code::invalid, reader_.all_mistakes());
    return {};
  }

 private:
  // The items of a list that must be there, unless there are too many of them.
  std::vector<Node> list(const Node& map, std::string_view name, std::size_t max,
                         std::string_view what) {
    const Node* const node = reader_.sequence(map, name);
    if (node == nullptr) return {};
    if (node->items.size() <= max) return node->items;
    reader_.mistake(*node, "more than " + std::to_string(max) + " " + std::string(what));
    return {};
  }
  std::vector<Node> list_if_any(const Node& map, std::string_view name, std::size_t max,
                                std::string_view what) {
    if (map.find(name) == nullptr) return {};
    return list(map, name, max, what);
  }

  void check_name(const Node& map, const std::string& name, std::set<std::string>& taken,
                  std::string_view what) {
    if (name.empty()) return;
    const Node& node = *map.find("name");
    if (name.size() > OnCallLimits::name_bytes_max) {
      reader_.mistake(node,
                      "a name may have " + std::to_string(OnCallLimits::name_bytes_max) + " bytes");
    }
    if (!taken.insert(name).second) {
      reader_.mistake(node, std::string(what) + " " + in_quotes(name) + " stands here already");
    }
  }

  Contact read_person(const Node& node) {
    Contact person{.where = reader_.file() + ", " + node.where()};
    if (!reader_.is_map(node, "a person", {"name", "receivers"})) return person;
    person.name = reader_.text(node, "name");
    check_name(node, person.name, people_, "a person");
    person.receivers = reader_.texts(node, "receivers");
    std::set<std::string> named;
    for (const std::string& receiver : person.receivers) {
      if (named.insert(receiver).second) continue;
      reader_.mistake(*node.find("receivers"),
                      "a receiver " + in_quotes(receiver) + " stands here already");
    }
    if (person.receivers.size() > OnCallLimits::receivers_max) {
      reader_.mistake(node,
                      "more than " + std::to_string(OnCallLimits::receivers_max) + " receivers");
    }
    return person;
  }

  std::string known_person(const Node& node, const std::string& name) {
    if (!name.empty() && !people_.contains(name)) {
      reader_.mistake(node, "there is no person " + in_quotes(name) + " among 'people'");
    }
    return name;
  }

  Timestamp local(const Node& map, std::string_view name, bool date_only) {
    const std::string text = reader_.text(map, name);
    if (text.empty()) return {};
    if (const auto parsed = parse_local(text, date_only)) return *parsed;
    reader_.mistake(*map.find(name), in_quotes(name) + " must be a local " +
                                         (date_only ? "date like 2026-01-31, not "
                                                    : "time like 2026-01-31 09:00, not ") +
                                         in_quotes(text));
    return {};
  }

  Layer read_layer(const Node& node, std::set<std::string>& names) {
    Layer layer;
    if (!reader_.is_map(node, "a layer",
                        {"name", "people", "start", "shift", "restrict", "holidays_only"})) {
      return layer;
    }
    layer.name = reader_.text(node, "name");
    check_name(node, layer.name, names, "a layer");
    layer.people = reader_.texts(node, "people");
    for (const std::string& name : layer.people) known_person(*node.find("people"), name);
    if (layer.people.size() > OnCallLimits::rotation_max) {
      reader_.mistake(
          node, "more than " + std::to_string(OnCallLimits::rotation_max) + " people in a layer");
    }
    layer.start = local(node, "start", false);
    const std::string shift = reader_.text(node, "shift");
    if (const auto length = parse_shift(shift)) {
      layer.shift = *length;
    } else if (!shift.empty()) {
      reader_.mistake(*node.find("shift"),
                      "'shift' must be daily, weekly or up to 366 days like 12h, 3d or 2w, not " +
                          in_quotes(shift));
    }
    std::vector<WeekSpan> spans;
    for (const Node& window : list_if_any(node, "restrict", OnCallLimits::windows_max, "windows")) {
      if (!reader_.is_map(window, "a window", {"days", "from", "until"})) continue;
      std::ranges::copy(read_window(reader_, window), std::back_inserter(spans));
    }
    layer.open = joined(std::move(spans));
    layer.holidays_only = reader_.truth(node, "holidays_only", false);
    return layer;
  }

  Override read_override(const Node& node) {
    Override one;
    if (!reader_.is_map(node, "an override", {"person", "from", "until", "reason"})) return one;
    one.person = known_person(node, reader_.text(node, "person"));
    one.from = local(node, "from", false);
    one.until = local(node, "until", false);
    one.reason = reader_.text(node, "reason");
    if (one.from != Timestamp() && one.until != Timestamp() && one.until <= one.from) {
      reader_.mistake(node, "'until' must be later than 'from'");
    }
    return one;
  }

  Holiday read_holiday(const Node& node, const std::vector<Layer>& layers) {
    Holiday holiday;
    if (!reader_.is_map(node, "a holiday", {"name", "on", "from", "until", "person", "layer"})) {
      return holiday;
    }
    holiday.name = reader_.text(node, "name");
    const bool one_day = node.find("on") != nullptr;
    if (one_day && (node.find("from") != nullptr || node.find("until") != nullptr)) {
      reader_.mistake(node, "a holiday is 'on' one day, or 'from' one 'until' another");
    }
    holiday.from = local(node, one_day ? "on" : "from", true);
    holiday.until = one_day ? holiday.from : local(node, "until", true);
    if (holiday.from != Timestamp() && holiday.until != Timestamp() &&
        holiday.until < holiday.from) {
      reader_.mistake(node, "'until' must not be before 'from'");
    }
    holiday.until = holiday.until + std::chrono::days(1);
    if ((node.find("person") == nullptr) == (node.find("layer") == nullptr)) {
      reader_.mistake(node, "a holiday needs a 'person' or a 'layer' that takes over, not both");
    } else if (node.find("person") != nullptr) {
      holiday.person = known_person(node, reader_.text(node, "person"));
    } else if (const std::string name = reader_.text(node, "layer"); !name.empty()) {
      const auto found = std::ranges::find(layers, name, &Layer::name);
      if (found == layers.end()) {
        reader_.mistake(node, "there is no layer " + in_quotes(name) + " in the schedule");
      } else {
        holiday.layer = static_cast<std::size_t>(found - layers.begin());
      }
    }
    return holiday;
  }

  void read_name_and_zone(const Node& node, Schedule& schedule) {
    schedule.name = reader_.text(node, "name");
    check_name(node, schedule.name, schedules_, "a schedule");
    schedule.zone_name = reader_.text(node, "zone");
    if (schedule.zone_name.empty()) return;
    if (auto zone = ingest::Zone::make(schedule.zone_name)) {
      schedule.zone = *std::move(zone);
    } else {
      reader_.mistake(*node.find("zone"), zone.error().what);
    }
  }

  Schedule read_schedule(const Node& node) {
    Schedule schedule;
    if (!reader_.is_map(node, "a schedule",
                        {"name", "zone", "layers", "overrides", "holidays", "fallback"})) {
      return schedule;
    }
    const std::size_t mistakes_before = reader_.mistakes().size();
    read_name_and_zone(node, schedule);
    std::set<std::string> names;
    for (const Node& layer : list(node, "layers", OnCallLimits::layers_max, "layers")) {
      schedule.layers.push_back(read_layer(layer, names));
    }
    for (const Node& one :
         list_if_any(node, "overrides", OnCallLimits::overrides_max, "overrides")) {
      schedule.overrides.push_back(read_override(one));
    }
    for (const Node& one : list_if_any(node, "holidays", OnCallLimits::holidays_max, "holidays")) {
      schedule.holidays.push_back(read_holiday(one, schedule.layers));
    }
    if (const Node* const fallback = node.find("fallback"); fallback != nullptr) {
      schedule.fallback = known_person(*fallback, reader_.text(node, "fallback"));
    }
    // What is wrong already would only be told once more.
    if (reader_.mistakes().size() == mistakes_before) check_cover(node, schedule);
    return schedule;
  }

  void check_cover(const Node& node, const Schedule& schedule) {
    for (std::size_t i = 0; i < schedule.layers.size(); ++i) {
      const auto names_it = [i](const Holiday& holiday) { return holiday.layer == i; };
      if (!schedule.layers[i].holidays_only || std::ranges::any_of(schedule.holidays, names_it)) {
        continue;
      }
      reader_.mistake(node, "the layer " + in_quotes(schedule.layers[i].name) +
                                " is for holidays only, and no holiday names it");
    }
    if (!schedule.fallback.empty()) return;
    const auto span = first_uncovered(schedule, now_, now_ + coming_year);
    if (!span) return;
    const auto local = [&](Timestamp at) { return local_text(schedule.zone.to_local(at)); };
    reader_.mistake(node, "schedule " + in_quotes(schedule.name) + ": no layer has anybody from " +
                              local(span->from) + " until " + local(span->until) + " (" +
                              schedule.zone_name + "), and there is no 'fallback'");
  }

  yaml::Reader reader_;
  Timestamp now_;
  std::set<std::string> people_;
  std::set<std::string> schedules_;
};

}  // namespace

Result<OnCallSchedules> OnCallSchedules::parse(std::string_view yaml, const std::string& file,
                                               Timestamp now) {
  OnCallSchedules parsed;
  if (auto done = OnCallFile(file, now).read(yaml, parsed.people_, parsed.schedules_); !done) {
    return std::unexpected(done.error());
  }
  return parsed;
}

}  // namespace mailwarden::alert
