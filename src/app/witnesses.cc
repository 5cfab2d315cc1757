#include "app/witnesses.h"

#include <utility>

#include "db/open.h"
#include "ledger/stored_tiles.h"
#include "net/http_client.h"

namespace mailwarden::app {
namespace {

constexpr std::chrono::seconds pause{30};

}  // namespace

Witnesses::Witnesses(const config::Config& config, Log& log)
    : witnesses_(config.witnesses), store_(config.store), log_(log) {
  if (witnesses_.empty()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Witnesses::show(std::string note) {
  if (witnesses_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    shown_ = std::move(note);
  }
  wake_.notify_all();
}

void Witnesses::hand_over(Core& core) {
  std::vector<News> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(news_);
  }
  for (const News& news : all) {
    if (!news.line.empty()) core.cosign(news.size, news.line);
    if (news.disagreement.empty()) continue;
    core.record("gap", {{"source", "witness"}, {"what", news.disagreement}});
  }
}

void Witnesses::run(const std::stop_token& stop) {
  std::string note;
  bool is_done = true;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto is_shown = [this] { return shown_.has_value(); };
      if (is_done) {
        wake_.wait(lock, stop, is_shown);
      } else {
        wake_.wait_for(lock, stop, pause, is_shown);
      }
      if (stop.stop_requested()) return;
      if (shown_) note = *std::exchange(shown_, std::nullopt);
    }
    is_done = ask_all(note, stop);
  }
}

bool Witnesses::ask_all(const std::string& note, const std::stop_token& stop) {
  const auto checkpoint = ledger::parse_checkpoint(note);
  if (!checkpoint) return true;
  bool all = true;
  for (const config::WitnessConfig& witness : witnesses_) {
    if (stop.stop_requested()) return true;
    const auto known = seen_.find(witness.key.name);
    if (known != seen_.end() && known->second == checkpoint->size) continue;
    auto cosigned = ask(witness, note, *checkpoint);
    if (!cosigned) {
      tell(witness, cosigned.error(), checkpoint->size);
      all = false;
      continue;
    }
    seen_[witness.key.name] = checkpoint->size;
    troubles_.erase(witness.key.name);
    const std::lock_guard lock(mutex_);
    news_.push_back(
        {.size = checkpoint->size, .line = std::move(cosigned->line), .disagreement = ""});
  }
  return all;
}

Result<ledger::Cosignature> Witnesses::ask(const config::WitnessConfig& witness,
                                           const std::string& note,
                                           const ledger::Checkpoint& checkpoint) {
  const auto store = db::open_url(store_, {.read_only = true});
  if (!store) return std::unexpected(store.error());
  ledger::TreeReader tree = ledger::stored_tree(**store, checkpoint.size);
  net::Client client;
  return ledger::ask_witness(
      {.witness = witness.key, .checkpoint = note, .seen = seen_[witness.key.name]}, tree,
      [&](const std::string& body) -> Result<ledger::WitnessAnswer> {
        auto answer = client.request(
            {.method = "POST", .url = witness.url + "/add-checkpoint", .body = body});
        if (!answer) return std::unexpected(answer.error());
        return ledger::WitnessAnswer{.status = answer->status,
                                     .content_type = std::move(answer->content_type),
                                     .body = std::move(answer->body)};
      });
}

void Witnesses::tell(const config::WitnessConfig& witness, const Error& error, std::uint64_t size) {
  if (std::exchange(troubles_[witness.key.name], error.what) == error.what) return;
  log_.error("a checkpoint is not cosigned: " + error.what);
  if (error.code != Code::conflict) return;
  const std::lock_guard lock(mutex_);
  news_.push_back({.size = size, .line = "", .disagreement = error.what});
}

}  // namespace mailwarden::app
