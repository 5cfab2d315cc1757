// Comma-separated values.
//
// What     read_csv() takes a text apart into rows of cells, each row with the line it begins at.
//          It gives no meaning to any of them.
// Owns     The cells.
// Threads  Pure.
// Errors   invalid, with the line: a quote inside a cell that does not begin with one, something
//          behind a closing quote, a quote that is never closed, a carriage return without a line
//          feed, bytes that are no UTF-8. full, beyond a limit. A text that is wrong in one of
//          these ways has no rows to go on with, so the first is told alone.
// Limits   CsvLimits.
// Source   RFC 4180. Lines may end in LF alone, the last may lack its end, and a byte order mark is
//          skipped; empty lines are no rows. Blanks belong to their cell.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mailwarden::identity {

struct CsvLimits {
  std::size_t bytes_max = 256 * 1024 * 1024;
  std::size_t rows_max = 1'000'000;
  std::size_t cells_max = 100;  // of one row
  std::size_t cell_bytes_max = 4096;
};

struct CsvRow {
  std::size_t line = 0;  // from 1
  std::vector<std::string> cells;

  bool operator==(const CsvRow&) const = default;
};

Result<std::vector<CsvRow>> read_csv(std::string_view text, const CsvLimits& limits = {});

}  // namespace mailwarden::identity
