#include "app/people_feed.h"

#include <algorithm>
#include <utility>

namespace mailwarden::app {
namespace {

// Between two looks at the clock.
constexpr std::chrono::milliseconds look_interval{500};
constexpr Duration soon = std::chrono::minutes(1);

}  // namespace

// Pages of a large directory are not fetched to their end while the daemon stops.
Result<void> PeopleFeed::add(const identity::PeopleSourceOptions& options) {
  const identity::Fetch fetch = identity::http_fetch({.ca_file = options.ca_file});
  auto source = identity::PeopleSource::make(
      options, [this, fetch](const net::HttpCall& call) -> Result<net::HttpAnswer> {
        if (stopping_) return fail(Code::unavailable, "the daemon is stopping");
        return fetch(call);
      });
  if (!source) return std::unexpected(source.error());
  sources_.push_back({.source = *std::move(source)});
  return {};
}

Result<std::unique_ptr<PeopleFeed>> PeopleFeed::make(
    const std::vector<identity::PeopleSourceOptions>& sources, const Clock& clock) {
  std::unique_ptr<PeopleFeed> feed(new PeopleFeed(clock));
  std::string wrong;
  for (const identity::PeopleSourceOptions& options : sources) {
    const auto added = feed->add(options);
    if (!added) wrong += (wrong.empty() ? "people: " : "\npeople: ") + added.error().what;
  }
  if (!wrong.empty()) return fail(Code::invalid, std::move(wrong));
  return feed;
}

bool PeopleFeed::is_waiting(const std::string& source) {
  const std::lock_guard lock(mutex_);
  return std::ranges::find(news_, source, &News::source) != news_.end();
}

void PeopleFeed::ask(Source& source, Timestamp now) {
  auto told = source.source.take(now);
  const std::string trouble = told ? std::string() : told.error().what;
  const bool is_news = told ? told->has_value() : trouble != source.trouble;
  source.trouble = trouble;
  if (!is_news) return;
  News news{
      .source = source.source.options().name,
      .told = told ? Result<identity::Told>(**std::move(told)) : std::unexpected(told.error())};
  const std::lock_guard lock(mutex_);
  news_.push_back(std::move(news));
}

void PeopleFeed::look() {
  for (Source& source : sources_) {
    const Timestamp now = clock_.now();
    const identity::PeopleSourceOptions& options = source.source.options();
    const bool is_soon = !options.is_remote() || !source.trouble.empty();
    const Duration interval = is_soon ? std::min(options.interval, soon) : options.interval;
    // A clock that was set back must not keep a source unasked for as long.
    const bool is_due = now >= source.due || source.due > now + interval;
    if (!is_due || is_waiting(options.name)) continue;
    source.due = now + interval;
    ask(source, now);
  }
}

void PeopleFeed::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    look();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, look_interval, [] { return false; });
  }
}

void PeopleFeed::start() {
  if (sources_.empty()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void PeopleFeed::stop() {
  stopping_ = true;
  thread_ = {};
}

std::vector<PeopleFeed::News> PeopleFeed::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

}  // namespace mailwarden::app
