// Numbers of fields as correlations add them up.
//
// What     An amount is a number in millionths, so that sums are exact and do not drift however
//          long a window slides.
// Owns     Nothing.
// Threads  Pure.
// Errors   None: what reads as no number gives nothing.
// Limits   amount_max; a larger number counts as amount_max, a smaller one as its negative. Digits
//          behind the sixth decimal are cut off, toward zero.
// Source   RFC 8259, numbers, with leading zeros allowed; docs/sigma.md, "Correlations".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mailwarden::detect {

// Holds the sum of 10^10 amounts, each counted as often as a folded line may say.
__extension__ typedef __int128 Sum;

inline constexpr std::int64_t amount_unit = 1'000'000;
inline constexpr std::int64_t amount_max = 9'000'000'000'000 * amount_unit;

std::optional<std::int64_t> amount_of(std::string_view text);

// The same, but nothing where the number would have to be cut.
std::optional<std::int64_t> exact_amount_of(std::string_view text);

}  // namespace mailwarden::detect
