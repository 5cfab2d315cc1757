#include "json/writer.h"

#include "base/text.h"
#include "json/value.h"

namespace mailwarden::json {
namespace {

constexpr std::uint64_t each(std::uint64_t byte) {
  return byte * 0x0101010101010101ULL;
}

// Whether one of the eight bytes is a control character, a quote, a backslash or not ASCII. A byte
// that is less than n, and no other, borrows when n is taken from it, so its highest bit is set.
constexpr bool has_special(std::uint64_t eight) {
  const std::uint64_t quote = eight ^ each('"');
  const std::uint64_t backslash = eight ^ each('\\');
  const std::uint64_t borrowed = (eight - each(0x20)) | (quote - each(1)) | (backslash - each(1));
  return ((borrowed | eight) & each(0x80)) != 0;
}

}  // namespace

bool Writer::is_plain(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + i, 8);
    if (has_special(eight)) return false;
  }
  std::uint64_t rest = each('a');
  if (i < text.size()) std::memcpy(&rest, text.data() + i, text.size() - i);
  return !has_special(rest);
}

// Paths of Windows are full of backslashes and of nothing else that is special.
bool Writer::escaped_in_buffer(std::string_view text) {
  const std::size_t most = text.size() * 2 + 2;
  if (most > buffer_.size()) return false;
  if (most > buffer_.size() - used_) flush();
  char* out = buffer_.data() + used_;
  *out++ = '"';
  unsigned char bits = 0;
  for (const char c : text) {
    bits |= static_cast<unsigned char>(c);
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (c == '"' || c == '\\') *out++ = '\\';
    *out++ = c;
  }
  if ((bits & 0x80) != 0 && !is_utf8(text)) return false;
  *out++ = '"';
  used_ = static_cast<std::size_t>(out - buffer_.data());
  return true;
}

void Writer::escaped(std::string_view text) {
  if (escaped_in_buffer(text)) return;
  flush();
  append_string(out_, text);
}

}  // namespace mailwarden::json
