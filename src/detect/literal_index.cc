#include "detect/literal_index.h"

#include <algorithm>
#include <utility>

#include <hs/hs.h>

#include "base/check.h"
#include "detect/decimal.h"

namespace mailwarden::detect {

ScanMemory::ScanMemory(const ScanMemory& other) {
  if (other.held_ != nullptr) CHECK(hs_clone_scratch(other.held_, &held_) == HS_SUCCESS);
}

ScanMemory::~ScanMemory() {
  if (held_ != nullptr) hs_free_scratch(held_);
}

void LiteralIndex::Release::operator()(hs_database* database) const {
  hs_free_database(database);
}

void LiteralIndex::add(Where where, std::string text, std::uint32_t entry) {
  ++literals_;
  CHECK(where == Where::whole || !text.empty());
  switch (where) {
    case Where::whole:
      whole_lengths_ |= std::uint64_t{1} << length_bit(text.size());
      wholes_.emplace(std::move(text), entry);
      break;
    case Where::start:
      start_texts_.emplace_back(std::move(text), entry);
      break;
    case Where::end:
      end_texts_.emplace_back(std::move(text), entry);
      break;
    case Where::anywhere:
      any_texts_.emplace_back(std::move(text), entry);
      break;
  }
}

void LiteralIndex::add_number(std::string number, std::uint32_t entry) {
  ++literals_;
  numbers_.emplace(std::move(number), entry);
}

Result<void> LiteralIndex::finish(const TextStatistics& statistics, ScanMemory& memory) {
  starts_.build(std::exchange(start_texts_, {}));
  ends_.build(std::exchange(end_texts_, {}));
  auto longer = std::exchange(any_texts_, {});
  const auto middle = std::ranges::partition(
      longer, [](const auto& one) { return one.first.size() >= GramTable::gram_bytes; });
  const std::vector texts(middle.begin(), middle.end());
  longer.erase(middle.begin(), middle.end());
  anywhere_.build(std::move(longer), statistics);
  if (texts.empty()) return {};
  std::vector<const char*> literals;
  std::vector<std::size_t> lengths;
  std::vector<unsigned> ids;
  const std::vector<unsigned> flags(texts.size(), 0);
  for (const auto& [text, entry] : texts) {
    literals.push_back(text.data());
    lengths.push_back(text.size());
    ids.push_back(entry);
  }
  hs_database* database = nullptr;
  hs_compile_error* wrong = nullptr;
  const hs_error_t failed = hs_compile_lit_multi(
      literals.data(), flags.data(), ids.data(), lengths.data(),
      static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, nullptr, &database, &wrong);
  if (failed != HS_SUCCESS) {
    const std::string why = wrong == nullptr ? "no memory" : wrong->message;
    hs_free_compile_error(wrong);
    return fail(Code::invalid, "the texts of the rules cannot be searched for: " + why);
  }
  database_.reset(database);
  CHECK(hs_alloc_scratch(database, &memory.held_) == HS_SUCCESS);
  return {};
}

std::uint32_t LiteralIndex::number_entry(std::string_view text) const {
  if (text.empty() || (text.front() != '-' && (text.front() < '0' || text.front() > '9'))) {
    return no_entry;
  }
  auto found = numbers_.find(text);
  if (found == numbers_.end() && !is_plain_integer(text)) {
    const auto number = Decimal::parse(text);
    if (number) found = numbers_.find(number->canonical());
  }
  return found == numbers_.end() ? no_entry : found->second;
}

void LiteralIndex::scan(std::string_view folded, ScanMemory& memory, void* of, Told told) const {
  struct Context {
    void* of;
    Told told;
  };
  Context context{.of = of, .told = told};
  const auto found = [](unsigned entry, unsigned long long, unsigned long long, unsigned,
                        void* seen) {
    const auto& to = *static_cast<Context*>(seen);
    to.told(entry, to.of);
    return 0;
  };
  // A record is far below Vectorscan's limit of 4 GiB.
  const hs_error_t failed =
      hs_scan(database_.get(), folded.data(), static_cast<unsigned>(folded.size()), 0, memory.held_,
              found, &context);
  CHECK(failed == HS_SUCCESS);
}

std::size_t LiteralIndex::bytes() const {
  std::size_t size = 0;
  if (database_ != nullptr) hs_database_size(database_.get(), &size);
  return size + anywhere_.bytes();
}

}  // namespace mailwarden::detect
