// What a sealed value is looked up by: a keyed hash of it.
//
// What     Equal values of one column have equal indexes; without the key nobody can tell which
//          value an index is of, not even by trying all addresses of the world. The same value has
//          different indexes in different columns. An index is HMAC-SHA256 over
//          "mailwarden blind index 1", then table, column and the value in its normal form, each
//          behind its length (4 bytes, big-endian); of the hash the first `bits` are kept.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   bits_min to bits_max, in whole bytes. Short ones bring values together that are not
//          equal: of n values, n / 2^bits others share the index of one, and what is found must be
//          compared when it is opened.
// Source   RFC 2104.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/aes.h"

namespace mailwarden::crypto {

enum class Normal : std::uint8_t {
  exact,    // every byte counts
  address,  // a mail address or account name: white space around it and ASCII case do not count
};

std::string normalise(std::string_view value, Normal form);

struct Indexed {
  static constexpr unsigned bits_min = 32;
  static constexpr unsigned bits_max = 256;

  std::string_view table;
  std::string_view column;
  Normal form = Normal::exact;
  unsigned bits = bits_max;
};

Bytes blind_index(KeyView key, const Indexed& indexed, std::string_view value);

}  // namespace mailwarden::crypto
