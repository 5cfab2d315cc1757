#include "ingest/decode/audit_names.h"

#include <mutex>

#include <auparse.h>

#include "base/text.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

using Names = std::vector<std::pair<std::string, std::string>>;

class Library {
 public:
  Library() : parser_(auparse_init(AUSOURCE_BUFFER, "type=EOE msg=audit(1.000:1): \n")) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (parser_ != nullptr) auparse_destroy(parser_);
  }

  // `fields` behind a record's head of that type; `take` sees the parser standing at each field.
  template <class Take>
  void read(std::string_view type, std::string_view fields, const Take& take) {
    const std::scoped_lock turn(mutex_);
    if (parser_ == nullptr) return;
    std::string record("type=");
    record.append(type).append(" msg=audit(1.000:1):").append(fields).append("\n");
    if (auparse_new_buffer(parser_, record.data(), record.size()) != 0) return;
    if (auparse_next_event(parser_) <= 0 || auparse_first_field(parser_) <= 0) return;
    do {
      take(parser_);
    } while (auparse_next_field(parser_) > 0);
  }

 private:
  std::mutex mutex_;
  auparse_state_t* parser_;
};

Library& library() {
  static Library one;
  return one;
}

void append_field(std::string& fields, std::string_view name, std::string_view value) {
  if (!value.empty()) fields.append(" ").append(name).append("=").append(value);
}

std::string_view checked(std::string_view digits, bool hex) {
  std::string_view plain = digits;
  if (!hex) skip(plain, "-");
  const bool fits = digits.size() <= AuditNumbers::digits_max;
  return fits && (hex ? is_hex(plain) : is_digits(plain)) ? digits : std::string_view();
}

void keep(Names& names, std::string_view name, const char* meaning, const char* number = nullptr) {
  if (meaning == nullptr || std::string_view(meaning).starts_with("unknown")) return;
  if (number != nullptr && std::string_view(number) == meaning) return;
  names.emplace_back(name, to_utf8(meaning));
}

void name_fields(Names& names, std::string_view type, const std::string& fields) {
  constexpr std::pair<std::string_view, std::string_view> wanted[] = {
      {"arch", "ARCH"}, {"syscall", "SYSCALL"}, {"exit", "EXIT"}, {"mode", "MODE"}, {"sig", "SIG"}};
  if (fields.empty()) return;
  library().read(type, fields, [&](auparse_state_t* at) {
    const char* const name = auparse_get_field_name(at);
    if (name == nullptr) return;
    for (const auto& [field, meaning] : wanted) {
      if (field == name)
        keep(names, meaning, auparse_interpret_field(at), auparse_get_field_str(at));
    }
  });
}

void name_address(Names& names, std::string_view address) {
  // A family is two bytes; the library is not asked about less, or about half a byte.
  if (address.size() < 8 || address.size() % 2 != 0) return;
  std::string fields;
  append_field(fields, "saddr", address);
  library().read("SOCKADDR", fields, [&](auparse_state_t* at) {
    const char* const name = auparse_get_field_name(at);
    if (name == nullptr || std::string_view(name) != "saddr") return;
    keep(names, "saddr_family", auparse_interpret_sock_family(at));
    keep(names, "saddr_ip", auparse_interpret_sock_address(at));
    keep(names, "saddr_port", auparse_interpret_sock_port(at));
  });
}

}  // namespace

Names name_numbers(const AuditNumbers& numbers) {
  Names names;
  std::string fields;
  const std::string_view architecture = checked(numbers.architecture, true);
  if (!architecture.empty()) {
    append_field(fields, "arch", architecture);
    append_field(fields, "syscall", checked(numbers.system_call, false));
  }
  append_field(fields, "exit", checked(numbers.exit, false));
  name_fields(names, "SYSCALL", fields);
  fields.clear();
  append_field(fields, "mode", checked(numbers.mode, false));
  name_fields(names, "PATH", fields);
  fields.clear();
  append_field(fields, "sig", checked(numbers.signal, false));
  name_fields(names, "ANOM_ABEND", fields);
  name_address(names, checked(numbers.address, true));
  return names;
}

}  // namespace mailwarden::ingest
