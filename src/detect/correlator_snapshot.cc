#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "detect/correlator.h"
#include "json/value.h"

namespace mailwarden::detect {
namespace {

constexpr std::int64_t format = 2;

void append(std::string& out, std::int64_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

template <class... More>
void append(std::string& out, std::int64_t number, More... more) {
  append(out, number);
  out += ',';
  append(out, more...);
}

void separate(std::string& out) {
  if (out.back() != '[') out += ',';
}

// Keys and values are bytes, JSON's texts are characters: each byte is the character of its number.
void append_bytes(std::string& out, std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  json::append_string(out, text);
}

std::string read_bytes(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80 || i + 1 == text.size()) {
      bytes += text[i];
    } else {
      bytes += static_cast<char>((lead << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F));
    }
  }
  return bytes;
}

// Values stand once in a group, and entries name them by their place.
class ValueList {
 public:
  std::int64_t place_of(const Occurrences::Value* value) {
    if (value == nullptr) return 0;
    const auto [found, fresh] = places_.try_emplace(value, places_.size());
    if (fresh) list_.push_back(value);
    return static_cast<std::int64_t>(found->second);
  }

  void append_to(std::string& out) const {
    out += '[';
    for (const Occurrences::Value* value : list_) {
      separate(out);
      append_bytes(out, value->text);
    }
    out += ']';
  }

 private:
  std::unordered_map<const Occurrences::Value*, std::size_t> places_;
  std::vector<const Occurrences::Value*> list_;
};

template <class State>
void append_group(std::string& out, const State& state) {
  ValueList values;
  out += ",\"entries\":[";
  state.all_of_entries([&](const Entry& entry) {
    separate(out);
    out += '[';
    append(out, entry.at.time.us, entry.event.stream, entry.event.position,
           std::int64_t{entry.count}, std::int64_t{entry.rule},
           entry.value == nullptr ? entry.amount : values.place_of(entry.value), entry.at.arrival);
    out += ']';
    return true;
  });
  out += "],\"values\":";
  values.append_to(out);
}

using Numbers = std::array<std::int64_t, 7>;

template <std::size_t size>
bool take_numbers(const json::Value& value, std::array<std::int64_t, size>& into) {
  const json::Array* parts = value.as_array();
  if (parts == nullptr || parts->size() != into.size()) return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    const std::int64_t* number = (*parts)[i].as_integer();
    if (number == nullptr) return false;
    into[i] = *number;
  }
  return true;
}

std::unexpected<Error> damaged() {
  return fail(Code::corrupt, "the stored correlation windows");
}

}  // namespace

std::string Correlator::snapshot() const {
  std::string out = "{\"arrivals\":";
  append(out, arrivals_);
  out += ",\"format\":";
  append(out, format);
  out += ",\"groups\":[";
  for (const auto& [group, dies] : groups_) {
    if (group == nullptr) continue;
    separate(out);
    out += "{\"key\":";
    append_bytes(out, group->key());
    std::visit([&](const auto& state) { append_group(out, state); }, group->state);
    out += ",\"window\":";
    append(out, static_cast<std::int64_t>(group->window));
    out += '}';
  }
  out += "],\"streams\":[";
  std::vector<std::pair<std::int64_t, Stream>> streams(streams_.begin(), streams_.end());
  std::ranges::sort(streams, {}, &std::pair<std::int64_t, Stream>::first);
  for (const auto& [id, stream] : streams) {
    separate(out);
    out += '[';
    append(out, id, stream.newest.us, stream.seen);
    out += ']';
  }
  out += "],\"windows\":[";
  for (const Window& window : windows_) {
    separate(out);
    out += '[';
    json::append_string(out, window.correlation.header.id);
    out += ',';
    json::append_string(out, window.signature);
    out += ']';
  }
  return out + "]}";
}

void Correlator::clear() {
  for (Window& window : windows_) window.groups = {};
  groups_.clear();
  free_.clear();
  streams_.clear();
  newest_ = Timestamp{std::numeric_limits<std::int64_t>::min()};
  live_ = 0;
  bytes_ = 0;
  swept_ = 0;
  arrivals_ = 0;
  round_ = 0;
}

Result<std::int64_t> Correlator::forget(const std::function<bool(std::string_view)>& of_whom) {
  const std::string all = snapshot();
  auto value = json::parse(all, {.depth_max = 16, .bytes_max = all.size()});
  if (!value) return damaged();
  json::Array& groups = *(*value->as_object())["groups"].as_array();
  const auto has = [&](const json::Value& one) {
    const std::string* const bytes = one.as_string();
    return bytes != nullptr && of_whom(read_bytes(*bytes));
  };
  const auto before = std::ssize(groups);
  std::erase_if(groups, [&](const json::Value& group) {
    const json::Array* const values = group["values"].as_array();
    return has(group["key"]) || (values != nullptr && std::ranges::any_of(*values, has));
  });
  const auto forgotten = before - std::ssize(groups);
  if (forgotten == 0) return std::int64_t{0};
  clear();
  if (auto done = restore_all(*value); !done) return std::unexpected(done.error());
  return std::int64_t{forgotten};
}

Result<void> Correlator::restore(std::string_view snapshot) {
  const auto value = json::parse(snapshot, {.depth_max = 16, .bytes_max = snapshot.size()});
  clear();
  if (!value) return damaged();
  auto done = restore_all(*value);
  if (!done) clear();
  return done;
}

Result<void> Correlator::restore_all(const json::Value& value) {
  // The windows of a version that counted only events are left out.
  if (value["newest"].as_object() != nullptr) return {};
  const json::Array* const streams = value["streams"].as_array();
  const json::Array* const groups = value["groups"].as_array();
  const json::Array* const windows = value["windows"].as_array();
  const bool whole = streams != nullptr && groups != nullptr && windows != nullptr;
  if (!whole || value.integer("format") != format) return damaged();
  arrivals_ = value.integer("arrivals");
  for (const json::Value& stored : *streams) {
    std::array<std::int64_t, 3> numbers{};
    if (!take_numbers(stored, numbers)) return damaged();
    streams_[numbers[0]] = {.newest = {numbers[1]}, .seen = numbers[2]};
    newest_ = std::max(newest_, Timestamp{numbers[1]});
  }
  // By their places in the snapshot; none where the correlation is gone or another.
  std::vector<std::optional<std::size_t>> places;
  for (const json::Value& stored : *windows) {
    const json::Array* const parts = stored.as_array();
    if (parts == nullptr || parts->size() != 2) return damaged();
    const auto same = std::ranges::find_if(windows_, [&](const Window& window) {
      return (*parts)[0] == json::Value(window.correlation.header.id) &&
             (*parts)[1] == json::Value(window.signature);
    });
    places.emplace_back();
    if (same != windows_.end()) places.back() = static_cast<std::size_t>(same - windows_.begin());
  }
  for (const json::Value& stored : *groups) {
    const auto window = static_cast<std::size_t>(stored.integer("window", -1));
    if (window >= places.size()) return damaged();
    if (!places[window]) continue;
    if (auto done = restore_group(stored, *places[window]); !done) return done;
  }
  return {};
}

// The sums of the windows follow from the entries, which stand in their order.
Result<void> Correlator::restore_group(const json::Value& stored, std::size_t window) {
  const std::string* const key = stored["key"].as_string();
  const json::Array* const entries = stored["entries"].as_array();
  const json::Array* const values = stored["values"].as_array();
  if (key == nullptr || entries == nullptr || entries->empty() || values == nullptr) {
    return damaged();
  }
  std::vector<std::string> texts;
  for (const json::Value& value : *values) {
    if (value.as_string() == nullptr) return damaged();
    texts.push_back(read_bytes(*value.as_string()));
  }
  const Measure& measure = windows_[window].measure;
  const std::string bytes = read_bytes(*key);
  Group& group = group_of(window, bytes, hash_(bytes));
  for (const json::Value& entry : *entries) {
    Numbers n{};
    if (!take_numbers(entry, n)) return damaged();
    const bool of_value = measure.distinct();
    const bool right = n[3] >= 1 && n[3] <= count_max && n[4] >= 0 &&
                       static_cast<std::size_t>(n[4]) < measure.steps() &&
                       (!of_value || static_cast<std::size_t>(n[5]) < texts.size());
    if (!right) return damaged();
    const Arrival arrival{
        .time = {n[0]},
        .event = {n[1], n[2]},
        .value = of_value ? std::string_view(texts[static_cast<std::size_t>(n[5])]) : "",
        .amount = of_value ? 0 : n[5],
        .count = static_cast<std::uint32_t>(n[3]),
        .rule = static_cast<std::uint32_t>(n[4])};
    if (auto* counted = std::get_if<CountedGroup>(&group.state)) {
      counted->restore(measure, arrival, n[6]);
    } else {
      std::get<OrderedGroup>(group.state).restore(arrival, n[6]);
    }
  }
  const Timestamp newest =
      std::visit([](const auto& state) { return state.newest(); }, group.state);
  groups_[group.place].dies = newest + life_of(windows_[window]);
  account(group);
  return {};
}

}  // namespace mailwarden::detect
