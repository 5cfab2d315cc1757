#include "alert/signal.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mailwarden::alert {
namespace {

constexpr std::array told_names{std::pair{Signal::Told::firing, std::string_view("firing")},
                                std::pair{Signal::Told::resolved, std::string_view("resolved")},
                                std::pair{Signal::Told::muted, std::string_view("muted")}};

Result<Labels> read_labels(const json::Value& value, std::string_view what, std::size_t& bytes) {
  Labels labels;
  if (value.is_null()) return labels;
  if (value.as_object() == nullptr) {
    return fail(Code::invalid, "'" + std::string(what) + "' must be an object");
  }
  for (const auto& [name, text] : *value.as_object()) {
    if (name.size() > SignalLimits::name_bytes_max || !is_label_name(name)) {
      return fail(Code::invalid, "'" + printable(name.substr(0, SignalLimits::name_bytes_max)) +
                                     "' is no name for one of the " + std::string(what));
    }
    if (text.as_string() == nullptr || text.as_string()->size() > SignalLimits::value_bytes_max) {
      return fail(Code::invalid, "'" + name + "' must be a text of at most " +
                                     std::to_string(SignalLimits::value_bytes_max) + " bytes");
    }
    bytes += name.size() + text.as_string()->size();
    if (!text.as_string()->empty()) labels[name] = *text.as_string();
  }
  if (labels.size() > SignalLimits::labels_max) {
    return fail(Code::invalid,
                "more than " + std::to_string(SignalLimits::labels_max) + " " + std::string(what));
  }
  return labels;
}

// The epoch where it is not given, as a time of Go that was never set (0001-01-01) is not.
Result<Timestamp> read_time(const json::Value& value, std::string_view name) {
  constexpr Timestamp never_set_before{Timestamp::earliest.us + 367 * 86'400'000'000};
  const json::Value& given = value[name];
  if (given.is_null() || given == json::Value("")) return Timestamp();
  if (given.as_string() == nullptr) {
    return fail(Code::invalid, "'" + std::string(name) + "' must be a time");
  }
  auto parsed = parse_rfc3339(*given.as_string());
  if (!parsed) return fail(name, parsed.error());
  return *parsed < never_set_before ? Timestamp() : *parsed;
}

Result<Signal> read_signal(const json::Value& value, Timestamp now) {
  if (value.as_object() == nullptr) return fail(Code::invalid, "an alert must be an object");
  Signal signal{.updated = now};
  std::size_t bytes = 0;
  auto labels = read_labels(value["labels"], "labels", bytes);
  if (!labels) return std::unexpected(labels.error());
  auto annotations = read_labels(value["annotations"], "annotations", bytes);
  if (!annotations) return std::unexpected(annotations.error());
  if (labels->empty()) return fail(Code::invalid, "an alert has at least one label");
  signal.labels = *std::move(labels);
  signal.annotations = *std::move(annotations);
  signal.generator = value.text("generatorURL");
  if (bytes + signal.generator.size() > SignalLimits::signal_bytes_max) {
    return fail(Code::invalid, "labels and annotations have more than " +
                                   std::to_string(SignalLimits::signal_bytes_max) + " bytes");
  }
  const auto starts = read_time(value, "startsAt");
  if (!starts) return std::unexpected(starts.error());
  const auto ends = read_time(value, "endsAt");
  if (!ends) return std::unexpected(ends.error());
  signal.by_timeout = *ends == Timestamp();
  signal.ends = signal.by_timeout ? now + resolve_timeout : *ends;
  signal.starts = *starts != Timestamp() ? *starts : signal.by_timeout ? now : *ends;
  if (signal.ends < signal.starts) return fail(Code::invalid, "'endsAt' is before 'startsAt'");
  return signal;
}

// Alertmanager merges what overlaps; what does not follows as it is.
bool overlap(const Signal& known, const Signal& fresh) {
  return (fresh.ends > known.starts && fresh.ends < known.ends) ||
         (fresh.starts > known.starts && fresh.starts < known.ends);
}

void merge(const Signal& known, Signal& fresh, Timestamp now) {
  fresh.starts = std::min(fresh.starts, known.starts);
  if (known.ends <= fresh.ends) return;
  // Of two ends that have passed the later, else only an end that a client has given.
  if (fresh.is_over(now) ? known.is_over(now) : !known.by_timeout) fresh.ends = known.ends;
}

}  // namespace

std::string fingerprint(const Labels& labels) {
  constexpr std::uint64_t basis = 14'695'981'039'346'656'037U;
  constexpr std::uint64_t prime = 1'099'511'628'211U;
  constexpr unsigned char separator = 255;
  std::uint64_t hash = basis;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
    hash = (hash ^ separator) * prime;
  };
  for (const auto& [name, value] : labels) {
    add(name);
    add(value);
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) text[15 - i] = digits[hash >> (4 * i) & 15U];
  return text;
}

std::string title_of(const Labels& labels) {
  const std::string_view name = value_of(labels, "alertname");
  const std::string_view instance = value_of(labels, "instance");
  std::string title = name.empty() ? to_words(labels) : std::string(name);
  if (!name.empty() && !instance.empty()) title += " on " + std::string(instance);
  return title;
}

Result<PostedSignals> read_signals(const json::Value& posted, Timestamp now) {
  const json::Array* const list = posted.as_array();
  if (list == nullptr) return fail(Code::invalid, "alerts are posted as an array");
  if (list->size() > SignalLimits::posted_max) {
    return fail(Code::invalid, "more than " + std::to_string(SignalLimits::posted_max) + " alerts");
  }
  PostedSignals read;
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto signal = read_signal((*list)[i], now);
    if (signal) {
      read.signals.push_back(*std::move(signal));
    } else {
      read.refused.push_back("alert " + std::to_string(i + 1) + ": " + signal.error().what);
    }
  }
  return read;
}

json::Object to_json(const Signal& signal) {
  json::Object object{{"annotations", to_json(signal.annotations)},
                      {"by_timeout", signal.by_timeout},
                      {"ends", to_rfc3339(signal.ends)},
                      {"generator", signal.generator},
                      {"labels", to_json(signal.labels)},
                      {"number", signal.number},
                      {"over", signal.over},
                      {"starts", to_rfc3339(signal.starts)},
                      {"updated", to_rfc3339(signal.updated)}};
  json::Object told;
  for (const auto& [group, as] : signal.told) {
    told[std::to_string(group)] =
        std::ranges::find(told_names, as, [](const auto& t) { return t.first; })->second;
  }
  object["told"] = std::move(told);
  return object;
}

Result<Signal> signal_from_json(const json::Value& value) {
  const auto starts = parse_rfc3339(value.text("starts"));
  const auto ends = parse_rfc3339(value.text("ends"));
  const auto updated = parse_rfc3339(value.text("updated"));
  if (!starts || !ends || !updated || value["labels"].as_object() == nullptr) {
    return fail(Code::corrupt, "a stored signal is damaged");
  }
  Signal signal{.number = value.integer("number"),
                .labels = labels_from_json(value["labels"]),
                .annotations = labels_from_json(value["annotations"]),
                .generator = value.text("generator"),
                .starts = *starts,
                .ends = *ends,
                .by_timeout = value["by_timeout"] == json::Value(true),
                .updated = *updated,
                .over = value["over"] == json::Value(true),
                .told = {}};
  if (value["told"].as_object() == nullptr) return signal;
  for (const auto& [group, as] : *value["told"].as_object()) {
    const auto number = to_integer(group);
    const auto* const told = std::ranges::find_if(
        told_names, [&](const auto& t) { return as == json::Value(t.second); });
    if (!number || told == told_names.end()) {
      return fail(Code::corrupt, "a stored signal is damaged");
    }
    signal.told[*number] = told->first;
  }
  return signal;
}

SignalBook::SignalBook(std::vector<Signal> signals) {
  for (Signal& signal : signals) {
    const std::int64_t number = signal.number;
    last_number_ = std::max(last_number_, number);
    by_labels_[signal.labels] = number;
    index(signals_.insert_or_assign(number, std::move(signal)).first->second);
  }
}

void SignalBook::index(const Signal& signal) {
  (signal.over ? over_ : firing_).insert({signal.ends, signal.number});
}

void SignalBook::unindex(const Signal& signal) {
  (signal.over ? over_ : firing_).erase({signal.ends, signal.number});
}

Result<SignalBook::Taken> SignalBook::take(Signal signal, Timestamp now) {
  const auto found = by_labels_.find(signal.labels);
  if (found == by_labels_.end()) {
    if (signal.is_over(now)) return Taken{};
    if (signals_.size() >= SignalLimits::signals_max) {
      return fail(Code::full, std::to_string(SignalLimits::signals_max) +
                                  " alerts are held already, and no more");
    }
    signal.number = ++last_number_;
    by_labels_[signal.labels] = signal.number;
    index(signals_.emplace(signal.number, signal).first->second);
    return Taken{.number = signal.number, .what = What::begun};
  }
  Signal& known = signals_.at(found->second);
  unindex(known);
  if (overlap(known, signal)) merge(known, signal, now);
  const bool was_over = known.over;
  signal.number = known.number;
  signal.told = std::move(known.told);
  signal.over = signal.is_over(now);
  known = std::move(signal);
  index(known);
  if (known.over == was_over) return Taken{.number = known.number, .what = What::continued};
  return Taken{.number = known.number, .what = known.over ? What::resolved : What::begun};
}

const Signal* SignalBook::find(std::int64_t number) const {
  const auto found = signals_.find(number);
  return found == signals_.end() ? nullptr : &found->second;
}

Signal* SignalBook::find(std::int64_t number) {
  const auto found = signals_.find(number);
  return found == signals_.end() ? nullptr : &found->second;
}

std::vector<std::int64_t> SignalBook::take_ended(Timestamp now) {
  std::vector<std::int64_t> ended;
  while (!firing_.empty() && firing_.begin()->first <= now) {
    Signal& signal = signals_.at(firing_.begin()->second);
    unindex(signal);
    signal.over = true;
    index(signal);
    ended.push_back(signal.number);
  }
  return ended;
}

std::vector<std::int64_t> SignalBook::forget_old(Timestamp now) {
  std::vector<std::int64_t> old;
  while (!over_.empty() && over_.begin()->first + keep_resolved <= now) {
    const std::int64_t number = over_.begin()->second;
    over_.erase(over_.begin());
    by_labels_.erase(signals_.at(number).labels);
    signals_.erase(number);
    old.push_back(number);
  }
  return old;
}

}  // namespace mailwarden::alert
