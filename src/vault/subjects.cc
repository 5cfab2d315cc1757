#include "vault/subjects.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace mailwarden::vault {
namespace {

constexpr bool is_outside_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// What a local part holds without being taken for a separator.
constexpr bool is_plain(char c) {
  return is_alphanumeric(c) || is_outside_ascii(c) || std::string_view("._+-").contains(c);
}
constexpr bool is_local(char c) {
  return is_plain(c) || std::string_view("!#$%&'*/=?^`{|}~").contains(c);
}
constexpr bool is_domain(char c) {
  return is_alphanumeric(c) || is_outside_ascii(c) || c == '-' || c == '.';
}

bool are_hex(std::string_view text, std::size_t begin, std::size_t digits) {
  return begin + digits <= text.size() && std::ranges::all_of(text.substr(begin, digits), is_hex);
}

// An '@', however it is written.
struct Sign {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::optional<Sign> next_sign(std::string_view text, std::size_t from) {
  constexpr std::string_view escaped = "u0040";
  for (std::size_t at = text.find_first_of("@%\\", from); at != text.npos;
       at = text.find_first_of("@%\\", at + 1)) {
    const std::string_view rest = text.substr(at);
    if (rest.front() == '@') return Sign{at, at + 1};
    if (rest.starts_with("%40")) return Sign{at, at + 3};
    if (rest.front() != '\\') continue;
    // JSON within JSON doubles the backslash each time.
    const std::size_t end = std::min(text.find_first_not_of('\\', at), text.size());
    if (text.substr(end).starts_with(escaped)) return Sign{at, end + escaped.size()};
    at = end - 1;
  }
  return std::nullopt;
}

// Where a local part may begin: `begin` first, then the others in ascending order.
std::vector<std::size_t> local_begins(std::string_view text, std::size_t begin, std::size_t end) {
  std::vector<std::size_t> found{begin};
  if (begin > 0 && text[begin - 1] == '\\') {
    if (text[begin] == 'u' && are_hex(text, begin + 1, 4)) found.push_back(begin + 5);
    if (std::string_view("bfnrt").contains(text[begin])) found.push_back(begin + 1);
  }
  std::size_t behind_outside = begin;
  for (std::size_t i = begin; i < end; ++i) {
    if (!is_plain(text[i])) found.push_back(i + 1);
    if (text[i] == '%' && are_hex(text, i + 1, 2)) found.push_back(i + 3);
    if (is_outside_ascii(text[i])) behind_outside = i + 1;
  }
  found.push_back(behind_outside);
  for (std::size_t& at : found) {
    while (at < end && text[at] == '.') ++at;
  }
  std::erase_if(found, [&](std::size_t at) { return at >= end; });
  std::ranges::sort(found);
  const auto same = std::ranges::unique(found);
  found.erase(same.begin(), same.end());
  if (found.size() > SubjectScanner::locals_max) {
    found.erase(found.begin() + 1, found.end() - (SubjectScanner::locals_max - 1));
  }
  return found;
}

std::string_view without_tail(std::string_view domain) {
  while (domain.ends_with('.') || domain.ends_with('-')) domain.remove_suffix(1);
  return domain;
}

// The longest first.
std::vector<std::string_view> domains(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && size < SubjectScanner::domain_bytes_max && is_domain(text[size])) {
    ++size;
  }
  std::vector<std::string_view> found;
  const std::string_view longest = without_tail(text.substr(0, size));
  if (longest.empty()) return found;
  found.push_back(longest);
  const auto* const outside = std::ranges::find_if(longest, is_outside_ascii);
  const std::string_view ascii = without_tail({longest.begin(), outside});
  if (!ascii.empty() && ascii != longest) found.push_back(ascii);
  return found;
}

void add(std::vector<std::string>& all, const std::vector<std::string>& more) {
  for (const std::string& one : more) {
    if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  }
}

}  // namespace

std::optional<Occurrence> SubjectScanner::next() {
  while (const auto sign = next_sign(text_, at_)) {
    const std::size_t lowest =
        std::max(floor_, sign->begin - std::min(sign->begin, local_bytes_max));
    at_ = sign->end;
    floor_ = sign->end;
    std::size_t begin = sign->begin;
    while (begin > lowest && is_local(text_[begin - 1])) --begin;
    if (begin == sign->begin) continue;
    const auto behind = domains(text_.substr(sign->end));
    const auto begins = local_begins(text_, begin, sign->begin);
    if (behind.empty() || begins.empty()) continue;
    Occurrence found{.begin = begins.front(), .end = sign->end + behind.front().size()};
    for (const std::size_t from : begins) {
      const std::string local = to_lower(text_.substr(from, sign->begin - from));
      for (const std::string_view domain : behind) {
        add(found.subjects, {local + "@" + to_lower(domain)});
      }
    }
    return found;
  }
  at_ = text_.size();
  return std::nullopt;
}

std::vector<std::string> subjects_of(std::string_view text) {
  std::vector<std::string> all;
  std::unordered_set<std::string> seen;
  SubjectScanner scanner(text);
  while (auto occurrence = scanner.next()) {
    for (std::string& subject : occurrence->subjects) {
      if (seen.insert(subject).second) all.push_back(std::move(subject));
    }
  }
  return all;
}

namespace {

// Cuts at occurrences as they come, knowing no more than the part that is being made. Occurrences
// that share bytes hang together.
class Cutter {
 public:
  Cutter(std::string_view text, std::size_t subjects_max) : text_(text), max_(subjects_max) {}

  void take(const Occurrence& one) {
    const bool hangs = one.begin < last_.end;
    if (!hangs) begin_run(one.begin);
    if (fits(subjects(), one)) {
      add(run_, one.subjects);
    } else if (run_begin_ > begin_ && fits(run_, one)) {
      // What hangs together with this one goes into the next part.
      parts_.push_back({text_.substr(begin_, run_begin_ - begin_), std::exchange(before_, {})});
      begin_ = run_begin_;
      add(run_, one.subjects);
    } else {
      parts_.push_back({text_.substr(begin_, one.begin - begin_), subjects()});
      begin_ = run_begin_ = one.begin;
      before_.clear();
      run_ = last_.subjects;
      add(run_, one.subjects);
    }
    last_ = one;
  }

  std::vector<NamingPart> finish() {
    parts_.push_back({text_.substr(begin_), subjects()});
    return std::move(parts_);
  }

 private:
  void begin_run(std::size_t at) {
    add(before_, run_);
    run_.clear();
    run_begin_ = at;
  }
  std::vector<std::string> subjects() const {
    std::vector<std::string> all = before_;
    add(all, run_);
    return all;
  }
  bool fits(std::vector<std::string> subjects, const Occurrence& one) const {
    add(subjects, one.subjects);
    return subjects.size() <= max_;
  }

  std::string_view text_;
  std::size_t max_;
  std::vector<NamingPart> parts_;
  std::size_t begin_ = 0;            // of the part that is being made
  std::size_t run_begin_ = 0;        // of what hangs together at its end
  std::vector<std::string> before_;  // whom the part names before that
  std::vector<std::string> run_;
  Occurrence last_;
};

}  // namespace

std::vector<NamingPart> parts_of(std::string_view text, std::size_t subjects_max) {
  CHECK(subjects_max >= 2 * SubjectScanner::subjects_max);
  Cutter cutter(text, subjects_max);
  SubjectScanner scanner(text);
  while (const auto occurrence = scanner.next()) cutter.take(*occurrence);
  return cutter.finish();
}

}  // namespace mailwarden::vault
