#include "ledger/mailed_note.h"

#include <map>
#include <optional>
#include <set>

#include "base/text.h"
#include "json/base64.h"
#include "ledger/note.h"
#include "ledger/note_parts.h"

namespace mailwarden::ledger {
namespace {

// Header fields by their names in lower case; of one that stands twice the first.
struct Part {
  std::map<std::string, std::string> fields;
  std::string_view body;

  std::string field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  }
};

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// Nothing where a line before the first blank one is no header field.
std::optional<Part> split_header(std::string_view text) {
  Part part;
  std::string repeated;  // takes what continues a field that does not count
  std::string* last = nullptr;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) {
      part.body = text;
      return part;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (last == nullptr) return std::nullopt;
      last->append(line);
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    const auto [at, is_new] =
        part.fields.emplace(to_lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
    last = is_new ? &at->second : &repeated;
  }
  return part;
}

// "text/plain" of "Text/Plain; charset=utf-8", in lower case.
std::string media_type(const Part& part) {
  const std::string value = part.field("content-type");
  return value.empty() ? "text/plain" : to_lower(trim(value.substr(0, value.find(';'))));
}

std::string boundary_of(const Part& part) {
  const std::string value = part.field("content-type");
  for (std::string_view one : split(value, ';')) {
    one = trim(one);
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    if (!equal_ignoring_case(trim(one.substr(0, equals)), "boundary")) continue;
    std::string_view boundary = trim(one.substr(equals + 1));
    if (boundary.size() >= 2 && boundary.front() == '"' && boundary.back() == '"') {
      boundary = boundary.substr(1, boundary.size() - 2);
    }
    return std::string(boundary);
  }
  return {};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> from_quoted_printable(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '=') {
      bytes += c;
    } else if (text.starts_with("\n")) {
      text.remove_prefix(1);
    } else if (text.size() >= 2 && hex_digit(text[0]) >= 0 && hex_digit(text[1]) >= 0) {
      bytes += static_cast<char>(hex_digit(text[0]) << 4 | hex_digit(text[1]));
      text.remove_prefix(2);
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

std::optional<std::string> from_folded_base64(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '\n' && c != ' ' && c != '\t') plain += c;
  }
  auto bytes = json::from_base64(plain);
  return bytes ? std::optional(*std::move(bytes)) : std::nullopt;
}

std::optional<std::string> decoded(const Part& part) {
  const std::string encoding = to_lower(trim(part.field("content-transfer-encoding")));
  if (encoding == "base64") return from_folded_base64(part.body);
  if (encoding == "quoted-printable") return from_quoted_printable(part.body);
  if (encoding.empty() || encoding == "7bit" || encoding == "8bit" || encoding == "binary") {
    return std::string(part.body);
  }
  return std::nullopt;
}

std::string with_line_feeds(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    plain += text[i];
  }
  return plain;
}

bool is_checkpoint(std::string_view note) {
  const auto parsed = parse_note(note);
  return parsed && parse_checkpoint(parsed->text).has_value();
}

class MailReader {
 public:
  Result<void> read(std::string_view text, std::size_t depth) {
    if (depth > mail_depth_max || ++parts_ > mail_parts_max) {
      return fail(Code::full, "the mail has more parts than are looked at");
    }
    const auto part = split_header(text);
    if (!part) return {};
    const std::string type = media_type(*part);
    if (type.starts_with("multipart/")) return read_parts(*part, depth);
    const auto bytes = decoded(*part);
    if (!bytes) return {};
    if (type == "message/rfc822") return read(with_line_feeds(*bytes), depth + 1);
    if (type == "text/plain" || type == "application/octet-stream") take(*bytes);
    return {};
  }

  const std::set<std::string>& notes() const { return notes_; }

 private:
  // On its way a text may have got blank lines behind its end, and nothing else.
  void take(std::string_view bytes) {
    std::string note = with_line_feeds(bytes);
    while (note.ends_with("\n\n")) note.pop_back();
    if (is_checkpoint(note)) notes_.insert(std::move(note));
  }

  Result<void> read_parts(const Part& part, std::size_t depth) {
    const std::string delimiter = "--" + boundary_of(part);
    if (delimiter.size() == 2) return {};
    std::string_view rest = part.body;
    std::optional<std::size_t> begin;  // of the part that is open, in the body
    while (!rest.empty()) {
      const std::size_t at = part.body.size() - rest.size();
      std::string_view line = take_line(rest);
      while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
      const bool is_end = line == delimiter + "--";
      if (line != delimiter && !is_end) continue;
      if (begin) {
        // The line feed before a delimiter is part of that.
        const std::size_t end = at > *begin ? at - 1 : at;
        if (auto done = read(part.body.substr(*begin, end - *begin), depth + 1); !done) return done;
      }
      begin = part.body.size() - rest.size();
      if (is_end) return {};
    }
    return {};
  }

  std::size_t parts_ = 0;
  std::set<std::string> notes_;
};

}  // namespace

Result<std::string> checkpoint_note(std::string_view file) {
  if (file.size() > mail_bytes_max) {
    return fail(Code::full, "a checkpoint of more than " + std::to_string(mail_bytes_max) +
                                " bytes is not read");
  }
  // What a note is, or should be: its own words say what is wrong with it.
  if (is_checkpoint(file)) return std::string(file);
  std::string text = with_line_feeds(file);
  // What a mailbox puts before each mail.
  std::string_view mail = text;
  if (mail.starts_with("From ")) take_line(mail);
  const auto header = split_header(mail);
  if (!header || header->fields.empty()) return std::string(file);
  MailReader reader;
  if (auto done = reader.read(mail, 0); !done) return std::unexpected(done.error());
  if (reader.notes().empty()) {
    return fail(Code::invalid, "the mail has no part that is a signed checkpoint and nothing else");
  }
  if (reader.notes().size() > 1) {
    return fail(Code::conflict, "the mail holds " + std::to_string(reader.notes().size()) +
                                    " different checkpoints; save the one that is meant by itself");
  }
  return *reader.notes().begin();
}

}  // namespace mailwarden::ledger
