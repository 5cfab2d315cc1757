#include "identity/csv.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace mailwarden::identity {
namespace {

std::unexpected<Error> wrong(Code code, std::size_t line, std::string_view what) {
  return fail(code, "line " + std::to_string(line) + ": " + std::string(what));
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const CsvLimits& limits) : text_(text), limits_(limits) {}

  bool at_end() const { return at_ == text_.size(); }
  bool skip_line_end() {
    if (text_.substr(at_).starts_with("\r\n")) ++at_;
    if (at_end() || text_[at_] != '\n') return false;
    ++at_;
    ++line_;
    return true;
  }

  Result<CsvRow> row() {
    CsvRow row{.line = line_};
    while (true) {
      if (row.cells.size() == limits_.cells_max) {
        return wrong(Code::full, row.line,
                     "more than " + std::to_string(limits_.cells_max) + " cells");
      }
      auto cell = is_at('"') ? quoted_cell() : plain_cell();
      if (!cell) return std::unexpected(cell.error());
      row.cells.push_back(*std::move(cell));
      if (is_at(',')) {
        ++at_;
      } else if (at_end() || skip_line_end()) {
        return row;
      } else {
        return wrong(Code::invalid, line_,
                     is_at('\r') ? "a carriage return stands without a line feed"
                                 : "something stands behind a closing quote");
      }
    }
  }

 private:
  bool is_at(char c) const { return !at_end() && text_[at_] == c; }

  Result<std::string> plain_cell() {
    const std::size_t end = std::min(text_.find_first_of(",\"\r\n", at_), text_.size());
    std::string cell(text_.substr(at_, end - at_));
    at_ = end;
    if (is_at('"')) {
      return wrong(Code::invalid, line_,
                   "a quote stands inside a cell that does not begin with it");
    }
    return checked(std::move(cell));
  }

  // Within quotes a doubled quote is one, and line ends are text.
  Result<std::string> quoted_cell() {
    const std::size_t begin = line_;
    std::string cell;
    ++at_;
    while (true) {
      const std::size_t quote = text_.find('"', at_);
      if (quote == text_.npos) return wrong(Code::invalid, begin, "a quote is never closed");
      for (std::size_t i = at_; i < quote; ++i) line_ += text_[i] == '\n' ? 1U : 0U;
      cell += text_.substr(at_, quote - at_);
      at_ = quote + 1;
      if (!is_at('"')) return checked(std::move(cell));
      cell += '"';
      ++at_;
    }
  }

  Result<std::string> checked(std::string cell) const {
    if (cell.size() <= limits_.cell_bytes_max) return cell;
    return wrong(Code::full, line_,
                 "a cell has " + std::to_string(cell.size()) + " bytes; at most " +
                     std::to_string(limits_.cell_bytes_max) + " are read");
  }

  std::string_view text_;
  const CsvLimits& limits_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

std::size_t line_of_bad_byte(std::string_view text) {
  std::size_t line = 1;
  for (const std::string_view one : split(text, '\n')) {
    if (!is_utf8(one)) return line;
    ++line;
  }
  return line;
}

}  // namespace

Result<std::vector<CsvRow>> read_csv(std::string_view text, const CsvLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return fail(Code::full, std::to_string(text.size()) + " bytes; at most " +
                                std::to_string(limits.bytes_max) + " are read");
  }
  if (!is_utf8(text)) return wrong(Code::invalid, line_of_bad_byte(text), "it is not UTF-8");
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  CsvReader reader(text, limits);
  std::vector<CsvRow> rows;
  while (true) {
    while (reader.skip_line_end()) {
    }
    if (reader.at_end()) return rows;
    if (rows.size() == limits.rows_max) {
      return fail(Code::full, "more than " + std::to_string(limits.rows_max) + " rows");
    }
    auto row = reader.row();
    if (!row) return std::unexpected(row.error());
    rows.push_back(*std::move(row));
  }
}

}  // namespace mailwarden::identity
