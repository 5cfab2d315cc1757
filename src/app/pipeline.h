// Reader and workers: everything between the sources and the core.
//
// What     One reader takes batches from the sources and numbers them; workers do the pure work on
//          them; the results come out of `next()` in any order, each with its ticket. A batch holds
//          a place from the moment it is read until release() says that it is durable, so a store
//          that stalls makes the sources wait and nothing else is needed for back-pressure.
// Owns     The sources, the threads and the queues.
// Threads  start() and stop() from one thread; next(), release() and use() from the core's; wake()
//          from any.
// Errors   A source that cannot be read is told in the log once for each reason and tried again.
// Limits   PipelineOptions.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "app/policies.h"
#include "app/work.h"
#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/entropy.h"
#include "base/log.h"
#include "ingest/source.h"

namespace mailwarden::app {

struct PipelineOptions {
  unsigned workers = 1;
  bool once = false;               // read every source to its present end, then end
  db::Sealing* sealing = nullptr;  // the keys of the store, where it has some
  std::ptrdiff_t in_flight_max = 64;
  std::chrono::milliseconds poll_interval{200};  // between two looks at sources that had nothing
};

// What comes out: a worked batch, or word that all sources were at their end behind `tickets`
// batches.
struct PipelineOutput {
  std::optional<WorkedBatch> batch;
  std::uint64_t tickets = 0;
  bool ended = false;  // nothing more will come
};

class Pipeline {
 public:
  Pipeline(const PipelineOptions& options, std::vector<std::unique_ptr<ingest::Source>> sources,
           std::shared_ptr<const Policies> policies, const Clock& clock, Entropy& entropy,
           Log& log);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();

  void start();
  void stop();

  // Whatever is ready within `wait`.
  std::optional<PipelineOutput> next(std::chrono::milliseconds wait);
  // Has next() return, since there is something else to do for who waits there.
  void wake();
  // So many batches are durable.
  void release(std::ptrdiff_t batches);
  // From the next batch on.
  void use(std::shared_ptr<const Policies> policies);

 private:
  struct Work {
    ingest::RecordBatch batch;
    std::uint64_t ticket = 0;
  };

  void read(const std::stop_token& stop);
  // One batch of one source; whether there was one.
  bool read_one(ingest::Source& source, const std::stop_token& stop);
  void work(const std::stop_token& stop);
  bool take_place(const std::stop_token& stop);

  PipelineOptions options_;
  std::vector<std::unique_ptr<ingest::Source>> sources_;
  const Clock& clock_;
  Entropy& entropy_;
  Log& log_;
  std::mutex policies_mutex_;
  std::shared_ptr<const Policies> policies_;
  std::counting_semaphore<> places_;
  BoundedQueue<Work> to_work_;
  BoundedQueue<PipelineOutput> done_;
  std::uint64_t tickets_ = 0;  // the reader's
  std::string last_trouble_;   // the reader's
  std::mutex wait_mutex_;
  std::condition_variable_any wait_;
  std::vector<std::jthread> threads_;
};

}  // namespace mailwarden::app
