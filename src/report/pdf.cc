#include "report/pdf.h"

#include <filesystem>

#include "base/child_process.h"
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
  auto made = run_child({.command = {options.weasyprint, "--quiet", "--pdf-variant", "pdf/a-3b",
                                     "--allowed-protocols", "file,data", "--attachment", json_file,
                                     "--attachment-relationship", "Source", html_file, "-"},
                         .environment = {"LANG=C.UTF-8"},
                         .time_out = options.time_out,
                         .output_bytes_max = options.bytes_max,
                         .complaints_bytes_max = 4096,
                         .cancelled = options.cancelled});
  if (!made) return std::unexpected(made.error());
  if (made->code != 0) {
    return fail(Code::denied, options.weasyprint + ": ended with " + std::to_string(made->code) +
                                  ", saying: " + printable(trim(made->complaints)));
  }
  if (made->cut) {
    return fail(Code::full, options.weasyprint + ": the PDF has more than " +
                                std::to_string(options.bytes_max) + " bytes");
  }
  if (!made->output.starts_with("%PDF-")) {
    return fail(Code::denied, options.weasyprint + ": what it wrote is no PDF");
  }
  return std::move(made->output);
}

}  // namespace mailwarden::report
