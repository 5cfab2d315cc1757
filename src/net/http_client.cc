#include "net/http_client.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include <curl/curl.h>

#include "base/check.h"
#include "base/text.h"

namespace mailwarden::net {
namespace {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& text) {
  curl_slist* const longer = curl_slist_append(list.get(), text.c_str());
  CHECK(longer != nullptr);
  static_cast<void>(list.release());
  list.reset(longer);
}

struct Received {
  std::string body;
  std::size_t bytes_max = 0;
};

std::size_t receive(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto* received = static_cast<Received*>(into);
  if (received->body.size() + size * count > received->bytes_max) return 0;
  received->body.append(bytes, size * count);
  return size * count;
}

struct Sent {
  std::string_view rest;
};

std::size_t send(char* bytes, std::size_t size, std::size_t count, void* from) {
  auto* sent = static_cast<Sent*>(from);
  const std::size_t taken = std::min(size * count, sent->rest.size());
  std::memcpy(bytes, sent->rest.data(), taken);
  sent->rest.remove_prefix(taken);
  return taken;
}

// What may stand between < and > in a command of SMTP.
bool is_mail_path(std::string_view address) {
  return !address.empty() && std::ranges::none_of(address, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '<' || c == '>';
  });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// The URL with its query, percent-encoded (RFC 3986, 2.1).
std::string url_of(const HttpCall& call) {
  std::string url = call.url;
  for (const auto& [name, value] : call.query) {
    url += url.contains('?') ? '&' : '?';
    for (const std::string* part : {&name, &value}) {
      char* const encoded = curl_easy_escape(nullptr, part->data(), static_cast<int>(part->size()));
      CHECK(encoded != nullptr);
      url += encoded;
      curl_free(encoded);
      if (part == &name) url += '=';
    }
  }
  return url;
}

std::vector<std::pair<std::string, std::string>> headers_of(CURL* curl) {
  std::vector<std::pair<std::string, std::string>> headers;
  curl_header* one = nullptr;
  while ((one = curl_easy_nextheader(curl, CURLH_HEADER, -1, one)) != nullptr) {
    // libcurl leaves the end of the line in an empty value.
    headers.emplace_back(to_lower(one->name), trim(one->value));
  }
  return headers;
}

Result<void> check_call(const HttpCall& call) {
  if (has_control(call.url) || has_control(call.method)) {
    return fail(Code::invalid, "the URL holds control characters");
  }
  for (const auto& [name, value] : call.headers) {
    if (has_control(name) || has_control(value) || name.contains(':')) {
      return fail(Code::invalid, "the header '" + printable(name) + "' holds control characters");
    }
  }
  return {};
}

Result<void> check_mail(const Mail& mail) {
  const bool smtp = mail.server.starts_with("smtp://") || mail.server.starts_with("smtps://");
  if (!smtp || has_control(mail.server)) {
    return fail(Code::invalid,
                "'" + printable(mail.server) + "' is not smtp://HOST or smtps://HOST");
  }
  // An empty sender is that of notifications (RFC 5321, 4.5.5).
  const bool from = mail.from.empty() || is_mail_path(mail.from);
  if (!from || mail.to.empty() || !std::ranges::all_of(mail.to, is_mail_path)) {
    return fail(Code::invalid,
                "a mail's address is missing or holds a blank, a control character, < or >");
  }
  return {};
}

}  // namespace

std::string header(const HttpAnswer& answer, std::string_view name) {
  std::string joined;
  for (const auto& [one, value] : answer.headers) {
    if (one != name) continue;
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

struct Client::Handle {
  CURL* curl = nullptr;
  char error[CURL_ERROR_SIZE] = {};

  Handle() {
    static std::once_flag once;
    // libcurl's global state is the library's; it must be made before the first handle, by one.
    std::call_once(once, [] { CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
    curl = curl_easy_init();
    CHECK(curl != nullptr);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { curl_easy_cleanup(curl); }

  void begin(const ClientOptions& options) {
    curl_easy_reset(curl);
    error[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.total_timeout.count()));
    // An empty proxy keeps the environment's out: where a secret goes is told by the settings
    // alone.
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  }

  std::string why(CURLcode code) const {
    return error[0] != '\0' ? std::string(printable(error)) : curl_easy_strerror(code);
  }
};

Client::Client(const ClientOptions& options)
    : options_(options), handle_(std::make_unique<Handle>()) {}

Client::~Client() = default;

Result<HttpAnswer> Client::request(const HttpCall& call) {
  if (auto checked = check_call(call); !checked) return std::unexpected(checked.error());
  handle_->begin(options_);
  CURL* const curl = handle_->curl;
  Received received{.body = {}, .bytes_max = options_.response_bytes_max};
  List headers;
  append(headers, "Expect:");  // no waiting for 100-continue
  for (const auto& [name, value] : call.headers) append(headers, name + ": " + value);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_URL, url_of(call).c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (!call.socket.empty()) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call.socket.c_str());
  if (!call.body.empty() || call.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  if (call.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    const bool scheme = call.url.starts_with("http://") || call.url.starts_with("https://");
    // The same code tells of an answer that is no HTTP.
    const bool ours =
        code == CURLE_URL_MALFORMAT || (code == CURLE_UNSUPPORTED_PROTOCOL && !scheme);
    return fail(ours ? Code::invalid : Code::unavailable, call.url + ": " + handle_->why(code));
  }
  HttpAnswer answer{.body = std::move(received.body)};
  long status = 0;
  const char* content_type = nullptr;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &content_type);
  answer.status = static_cast<unsigned>(status);
  if (content_type != nullptr) answer.content_type = content_type;
  answer.headers = headers_of(curl);
  return answer;
}

Result<void> Client::send_mail(const Mail& mail) {
  if (auto checked = check_mail(mail); !checked) return checked;
  handle_->begin(options_);
  CURL* const curl = handle_->curl;
  Sent sent{mail.message};
  List to;
  for (const std::string& address : mail.to) append(to, "<" + address + ">");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_URL, mail.server.c_str());
  curl_easy_setopt(
      curl, CURLOPT_USE_SSL,
      static_cast<long>(mail.start_tls == StartTls::required ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  if (!mail.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, mail.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, mail.password.c_str());
  }
  const std::string from = "<" + mail.from + ">";
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.get());
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, send);
  curl_easy_setopt(curl, CURLOPT_READDATA, &sent);
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_OK) return {};
  long answer = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
  const bool for_good = answer >= 500 && answer < 600;
  std::string what = mail.server + ": " + handle_->why(code);
  if (answer != 0) what += " (answer " + std::to_string(answer) + ")";
  return fail(for_good ? Code::denied : Code::unavailable, std::move(what));
}

}  // namespace mailwarden::net
