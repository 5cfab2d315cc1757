#include "alert/channel.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "alert/channel_http.h"
#include "base/check.h"
#include "base/files.h"

namespace mailwarden::alert {
namespace {

std::unexpected<Undelivered> undelivered(const Receiver& receiver, const Error& error) {
  return std::unexpected(
      Undelivered{.code = error.code, .what = receiver.name + ": " + error.what});
}

template <Calls (*make)(const Sending& sending)>
Delivery request(const Receiver& receiver, const Alert& alert, Timestamp now) {
  const auto secrets = read_secrets(receiver);
  if (!secrets) return undelivered(receiver, secrets.error());
  const Sending sending{.receiver = receiver, .secrets = *secrets, .alert = alert, .now = now};
  return send(sending, make(sending));
}

template <Result<void> (*done)(const Receiver& receiver, const Alert& alert)>
Delivery carried(const Receiver& receiver, const Alert& alert, Timestamp /*now*/) {
  const auto result = done(receiver, alert);
  if (!result) return undelivered(receiver, result.error());
  return {};
}

Result<void> mail(const Receiver& receiver, const Alert& alert) {
  net::Mail mail{.server = receiver.server,
                 .start_tls = receiver.start_tls ? net::StartTls::required : net::StartTls::never,
                 .user = receiver.user,
                 .from = receiver.from,
                 .to = receiver.to,
                 .message = to_mail(receiver, alert)};
  if (!receiver.password_file.empty()) {
    auto password = read_secret(receiver.password_file);
    if (!password) return std::unexpected(password.error());
    mail.password = *std::move(password);
  }
  return net::Client(client_options(receiver)).send_mail(mail);
}

Result<void> drop(const Receiver& receiver, const Alert& alert) {
  std::error_code failed;
  std::filesystem::create_directories(receiver.folder, failed);
  if (failed) return fail(Code::io, receiver.folder + ": " + failed.message());
  return write_file_durably(receiver.folder + "/" + alert.key + ".json",
                            json::to_text(alert.event) + "\n");
}

struct Channel {
  Receiver::Kind kind;
  Delivery (*deliver)(const Receiver& receiver, const Alert& alert, Timestamp now);
};

constexpr std::array channels{Channel{Receiver::Kind::webhook, request<to_webhook>},
                              Channel{Receiver::Kind::smtp, carried<mail>},
                              Channel{Receiver::Kind::folder, carried<drop>},
                              Channel{Receiver::Kind::pagerduty, request<to_pagerduty>},
                              Channel{Receiver::Kind::opsgenie, request<to_opsgenie>},
                              Channel{Receiver::Kind::slack, request<to_slack>},
                              Channel{Receiver::Kind::alertmanager, request<to_alertmanager>}};

}  // namespace

Delivery deliver(const Receiver& receiver, const Alert& alert, Timestamp now) {
  const auto* const channel = std::ranges::find(channels, receiver.kind, &Channel::kind);
  CHECK(channel != channels.end());
  return channel->deliver(receiver, alert, now);
}

}  // namespace mailwarden::alert
