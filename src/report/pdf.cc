#include "report/pdf.h"

#include <array>
#include <filesystem>
#include <memory>

#include "base/process.h"
#include "base/text.h"

namespace mailwarden::report {

Result<std::string> make_pdf(const std::string& html_file, const std::string& json_file,
                             const PdfOptions& options) {
  std::error_code failed;
  const auto length = std::filesystem::file_size(html_file, failed);
  if (!failed && length > options.html_bytes_max) {
    return fail(Code::full, "HTML of " + std::to_string(length) +
                                " bytes is too long for a PDF, which takes at most " +
                                std::to_string(options.html_bytes_max));
  }
  // A report loads nothing from elsewhere; the program is held to its files all the same.
  // Pages that nothing is written to are not had.
  const auto room = std::make_unique_for_overwrite<char[]>(options.bytes_max);
  std::array<char, 4096> complaints{};
  const auto end =
      run_process({.command = {options.weasyprint, "--quiet", "--pdf-variant", "pdf/a-3b",
                               "--allowed-protocols", "file,data", "--attachment", json_file,
                               "--attachment-relationship", "Source", html_file, "-"},
                   .environment = {"LANG=C.UTF-8"},
                   .time_out = std::chrono::duration_cast<Duration>(options.time_out),
                   .output = {room.get(), options.bytes_max},
                   .errors = complaints,
                   .cancelled = options.cancelled});
  if (!end) return std::unexpected(end.error());
  if (const std::string failure = failure_of(*end); !failure.empty()) {
    const std::string said = printable(trim({complaints.data(), end->errors_bytes}));
    return fail(end->cancelled ? Code::unavailable : Code::denied,
                options.weasyprint + ": " + failure + (said.empty() ? "" : ", saying: " + said));
  }
  if (!end->output_whole) {
    return fail(Code::full, options.weasyprint + ": the PDF has more than " +
                                std::to_string(options.bytes_max) + " bytes");
  }
  const std::string_view pdf(room.get(), end->output_bytes);
  if (!pdf.starts_with("%PDF-")) {
    return fail(Code::denied, options.weasyprint + ": what it wrote is no PDF");
  }
  return std::string(pdf);
}

}  // namespace mailwarden::report
