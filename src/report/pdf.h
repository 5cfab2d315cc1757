// A report as PDF/A-3, with its JSON inside.
//
// What     make_pdf() lets WeasyPrint lay out a report's HTML and attach its JSON as the source of
//          what is seen. The program runs as a child process.
// Owns     Nothing.
// Threads  Any; the caller waits.
// Errors   Those of run_process(); denied where the program refuses; full for HTML or a PDF of
//          more than is allowed.
// Limits   PdfOptions. WeasyPrint needs some minutes for each megabyte of HTML, so a report of more
//          than html_bytes_max is not tried.
// Source   ISO 19005-3 (PDF/A-3), level B; checked with WeasyPrint 70.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "base/result.h"

namespace mailwarden::report {

struct PdfOptions {
  std::string weasyprint;  // the program's path
  std::chrono::milliseconds time_out = std::chrono::minutes(10);
  std::size_t html_bytes_max = std::size_t{2} * 1024 * 1024;
  std::size_t bytes_max = std::size_t{256} * 1024 * 1024;
  std::function<bool()> cancelled;
};

// The bytes of the PDF.
Result<std::string> make_pdf(const std::string& html_file, const std::string& json_file,
                             const PdfOptions& options);

}  // namespace mailwarden::report
