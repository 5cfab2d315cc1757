// Campaigns of a mail core, stopped and resumed by statements of its own.
#include "base/text.h"
#include "db/open.h"
#include "respond/action_parts.h"

namespace mailwarden::respond {
namespace {

constexpr std::size_t campaign_bytes_max = 256;

const CampaignEffects& campaigns(const Work& work) {
  return *work.settings.campaigns;
}

// A store of ours has tables of ours; this one is only asked, each statement by itself.
Result<std::unique_ptr<db::Database>> open_database(const Work& work) {
  if (work.text("campaign").size() > campaign_bytes_max) {
    return fail(Code::invalid,
                "a campaign's name has at most " + std::to_string(campaign_bytes_max) + " bytes");
  }
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(work.time_left());
  return db::open_url(campaigns(work).url, {.busy_timeout = left, .statement_timeout = left});
}

// A statement that the database refuses will be refused again.
Error final(const Error& error) {
  const bool again = error.code == Code::unavailable || error.code == Code::full;
  return {again ? Code::unavailable : Code::denied, "campaigns: " + error.what};
}

Result<std::optional<bool>> ask(const Work& work, db::Database& database) {
  const std::string campaign = work.text("campaign");
  const auto rows = database.query(campaigns(work).stopped, {std::string_view(campaign)});
  if (!rows) return std::unexpected(final(rows.error()));
  const auto has = (*rows)->step();
  if (!has) return std::unexpected(final(has.error()));
  if (!*has) return std::optional<bool>();
  const bool stopped = !(*rows)->is_null(0) && (*rows)->integer(0) != 0;
  // To the end, so that the statement is free again.
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(final(more.error()));
    if (!*more) return std::optional(stopped);
  }
}

Result<bool> is_stopped(const Work& work, db::Database& database) {
  const auto stopped = ask(work, database);
  if (!stopped) return std::unexpected(stopped.error());
  if (*stopped) return **stopped;
  return fail(Code::denied, "the mail core has no campaign " + in_quotes(work.text("campaign")));
}

Result<json::Object> set_stopped(const Work& work, bool stop) {
  const auto database = open_database(work);
  if (!database) return std::unexpected(final(database.error()));
  const auto before = is_stopped(work, **database);
  if (!before) return std::unexpected(before.error());
  if (*before == stop) return json::Object{{"count", 0}};
  const std::string campaign = work.text("campaign");
  const std::string& sql = stop ? campaigns(work).stop : campaigns(work).resume;
  if (auto done = (*database)->run(sql, {std::string_view(campaign)}); !done) {
    return std::unexpected(final(done.error()));
  }
  const std::int64_t count = (*database)->changes();
  const auto now = is_stopped(work, **database);
  if (!now) return std::unexpected(now.error());
  if (*now == stop) return json::Object{{"count", count}};
  return fail(Code::denied, "the statement ran, and the campaign " + in_quotes(campaign) +
                                (stop ? " is not stopped" : " is still stopped"));
}

Result<json::Object> stop(const Work& work) {
  return set_stopped(work, true);
}
Result<json::Object> resume(const Work& work) {
  return set_stopped(work, false);
}

Result<bool> probe_stopped(const Work& work) {
  const auto database = open_database(work);
  if (!database) return std::unexpected(final(database.error()));
  return is_stopped(work, **database);
}
Result<bool> probe_resumed(const Work& work) {
  const auto stopped = probe_stopped(work);
  if (!stopped) return std::unexpected(stopped.error());
  return !*stopped;
}

// Without what a URL must not, but could, hold behind its user's name.
std::string database_of(const Work& work) {
  const std::string& url = campaigns(work).url;
  const std::size_t at = url.find('@');
  return at == std::string::npos ? url : "postgresql://…" + url.substr(at);
}

std::string describe_stop(const Work& work) {
  return "stop the campaign " + in_quotes(work.text("campaign")) + " in " + database_of(work) +
         " by: " + campaigns(work).stop;
}
std::string describe_resume(const Work& work) {
  return "resume the campaign " + in_quotes(work.text("campaign")) + " in " + database_of(work) +
         " by: " + campaigns(work).resume;
}

}  // namespace

const Action stop_campaign{"stop_campaign", stop, probe_stopped, describe_stop};
const Action resume_campaign{"resume_campaign", resume, probe_resumed, describe_resume};

}  // namespace mailwarden::respond
