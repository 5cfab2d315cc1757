#include "app/reporter.h"

#include "base/check.h"
#include "db/open.h"

namespace mailwarden::app {

void Reporter::start(const db::StoreAddress& store, std::vector<privacy::RetentionPolicy> retention,
                     report::IssueOptions options, Timestamp now) {
  CHECK(!is_at_work());
  cancelled_ = false;
  makes_pdf_ = !options.weasyprint.empty();
  options.cancelled = [this] { return cancelled_.load(); };
  issued_ = std::async(
      std::launch::async,
      [store, retention = std::move(retention), options = std::move(options), now]() -> Issued {
        const auto opened = db::open_with_keys(store, {.read_only = true});
        if (!opened) return std::unexpected(opened.error());
        return report::issue_due(**opened, retention, options, now);
      });
}

std::optional<Reporter::Issued> Reporter::take() {
  if (!is_at_work() || issued_.wait_for(Duration(0)) != std::future_status::ready) {
    return std::nullopt;
  }
  return issued_.get();
}

std::string Reporter::without_pdf(const report::Issued& issued) {
  std::string why =
      makes_pdf_ ? issued.trouble : "the setting 'weasyprint' names no program that makes them";
  if (std::exchange(without_pdf_, why) == why || why.empty()) return {};
  return "reports have no PDF: " + why;
}

void Reporter::cancel() {
  cancelled_ = true;
  if (is_at_work()) issued_.wait();
}

}  // namespace mailwarden::app
