// Any text as a schema in Cedar's syntax and in JSON, and as policies to lay out. What is read can
// be written in both forms and read again, and it then comes to the same schema.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "policy/format.h"
#include "policy/policy_json.h"
#include "tests/policy/described_schema.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::policy;

template <class T>
void check_refusal(const Result<T>& read) {
  CHECK(read || !read.error().what.empty());
}

// A fragment that was read, with what it comes to.
void write_and_read(const SchemaFragment& fragment) {
  const auto schema = Schema::resolve(fragment);
  check_refusal(schema);
  const std::string json = print_schema_json(fragment);
  const auto from_json = parse_schema_json(json);
  CHECK(from_json && print_schema_json(*from_json) == json);
  CHECK(described(resolved(from_json)) == described(schema) || !schema);
  CHECK(resolved(from_json).has_value() == schema.has_value());
  const auto text = print_schema(fragment);
  check_refusal(text);
  if (!text || !schema) return;
  const auto from_text = parse_schema(*text);
  CHECK(from_text && print_schema(*from_text) == text);
  CHECK(described(resolved(from_text)) == described(schema));
}

void read_text(const std::string& text) {
  const auto fragment = parse_schema(text);
  check_refusal(fragment);
  if (fragment) write_and_read(*fragment);
}

void read_json(const std::string& text) {
  const auto fragment = parse_schema_json(text);
  check_refusal(fragment);
  if (fragment) write_and_read(*fragment);
}

void lay_out_policies(const std::string& text) {
  const FormatOptions options{.line_width = 10 + text.size() % 100, .indent = text.size() % 4};
  const auto made = format_policies(text, options);
  check_refusal(made);
  if (!made) {
    CHECK(made.error().code == Code::invalid);
    return;
  }
  CHECK(format_policies(*made, options) == made);
  PolicySet before;
  PolicySet after;
  if (!before.add_text(text)) return;
  CHECK(after.add_text(*made));
  CHECK(to_json(before) == to_json(after));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto read : {read_text, read_json, lay_out_policies}) read(text);
  return 0;
}
