#include "app/pipeline.h"

namespace mailwarden::app {
namespace {

// How long a wait may last that looks at the stop token only now and then.
constexpr std::chrono::milliseconds stop_interval{100};

}  // namespace

Pipeline::Pipeline(const PipelineOptions& options,
                   std::vector<std::unique_ptr<ingest::Source>> sources,
                   std::shared_ptr<const Policies> policies, const Clock& clock, Entropy& entropy,
                   Log& log)
    : options_(options),
      sources_(std::move(sources)),
      clock_(clock),
      entropy_(entropy),
      log_(log),
      policies_(std::move(policies)),
      places_(options.in_flight_max),
      to_work_(static_cast<std::size_t>(options.in_flight_max)),
      // Room for every batch in flight and for the word that the sources are at their end.
      done_(static_cast<std::size_t>(options.in_flight_max) + 2) {}

Pipeline::~Pipeline() {
  stop();
}

void Pipeline::start() {
  threads_.emplace_back([this](const std::stop_token& stop) { read(stop); });
  for (unsigned i = 0; i < std::max(1U, options_.workers); ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

void Pipeline::stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  to_work_.close();
  done_.close();
  threads_.clear();
}

std::optional<PipelineOutput> Pipeline::next(std::chrono::milliseconds wait) {
  return done_.pop(wait);
}

void Pipeline::wake() {
  done_.wake();
}

void Pipeline::release(std::ptrdiff_t batches) {
  if (batches > 0) places_.release(batches);
}

void Pipeline::use(std::shared_ptr<const Policies> policies) {
  const std::lock_guard lock(policies_mutex_);
  policies_ = std::move(policies);
}

bool Pipeline::take_place(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (places_.try_acquire_for(stop_interval)) return true;
  }
  return false;
}

bool Pipeline::read_one(ingest::Source& source, const std::stop_token& stop) {
  if (!take_place(stop)) return false;
  auto batch = source.read(clock_.now(), options_.once);
  if (!batch && batch.error().what != last_trouble_) {
    last_trouble_ = batch.error().what;
    log_.error("source " + source.name() + ": " + last_trouble_);
  }
  if (!batch || !*batch || !to_work_.push({.batch = **std::move(batch), .ticket = tickets_})) {
    places_.release();
    return false;
  }
  ++tickets_;
  return true;
}

void Pipeline::read(const std::stop_token& stop) {
  std::optional<std::uint64_t> told;
  while (!stop.stop_requested()) {
    bool any = false;
    for (const auto& source : sources_) {
      // Once, each source is read to its end before the next, so that the order is always the same.
      while (read_one(*source, stop)) {
        any = true;
        if (!options_.once) break;
      }
    }
    if (any) continue;
    if (told != tickets_ &&
        !done_.push({.batch = {}, .tickets = tickets_, .ended = options_.once})) {
      return;
    }
    told = tickets_;
    if (options_.once) return;
    std::unique_lock lock(wait_mutex_);
    wait_.wait_for(lock, stop, options_.poll_interval, [] { return false; });
  }
}

void Pipeline::work(const std::stop_token& stop) {
  WorkScratch scratch;
  scratch.sealing = options_.sealing;
  while (auto work = to_work_.pop()) {
    if (stop.stop_requested()) return;
    std::shared_ptr<const Policies> policies;
    {
      const std::lock_guard lock(policies_mutex_);
      policies = policies_;
    }
    auto worked = app::work(std::move(work->batch), work->ticket, *policies, entropy_, scratch);
    if (!done_.push({.batch = std::move(worked), .tickets = 0, .ended = false})) return;
  }
}

}  // namespace mailwarden::app
