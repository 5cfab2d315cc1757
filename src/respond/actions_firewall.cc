// Addresses that are blocked, by sets of nftables.
//
// The table is ours alone. Single addresses and prefixes have sets of their own, so that one within
// the other are two blocks, each of which can be taken back by itself. Chains drop what comes from
// any of them before other tables are asked, and what one table drops no other lets through.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "respond/action_parts.h"

namespace mailwarden::respond {
namespace {

constexpr std::int64_t seconds_max = 366LL * 24 * 3600;
constexpr std::size_t listing_bytes_max = std::size_t{64} << 20;
constexpr std::array<std::string_view, 4> endings{"_v4", "_v6", "_v4_net", "_v6_net"};
constexpr std::array<std::string_view, 2> hooks{"input", "forward"};

const FirewallEffects& firewall(const Work& work) {
  return *work.settings.firewall;
}

// This machine's own, "this network", link-local (neighbours of IPv6 are found by it), multicast.
constexpr std::array<std::string_view, 9> always_needed{
    "127.0.0.0/8", "0.0.0.0/8",   "::1",           "::", "fe80::/10", "ff00::/8",
    "224.0.0.0/4", "240.0.0.0/4", "169.254.0.0/16"};

Result<AddressRange> read_address(const Work& work) {
  const std::string text = work.text("address");
  const auto range = parse_range(text);
  if (!range) return fail(Code::invalid, in_quotes(text) + " is no address and no prefix");
  return *range;
}

Result<void> may_block(const Work& work, const AddressRange& range) {
  const std::int64_t least =
      range.is_v6 ? firewall(work).prefix_v6_least : firewall(work).prefix_v4_least;
  if (static_cast<std::int64_t>(range.prefix) < least) {
    return fail(Code::denied, to_string(range) + " is wider than /" + std::to_string(least) +
                                  ", which effects.yaml allows");
  }
  for (const std::string_view needed : always_needed) {
    if (!overlap(range, *parse_range(needed))) continue;
    return fail(Code::denied,
                to_string(range) + " is in " + std::string(needed) + ", which is never blocked");
  }
  for (const AddressRange& never : firewall(work).never) {
    if (!overlap(range, never)) continue;
    return fail(Code::denied, to_string(range) + " is in " + to_string(never) +
                                  ", which stands in 'never' of effects.yaml");
  }
  return {};
}

std::string set_of(const Work& work, const AddressRange& range) {
  return firewall(work).set + (range.is_v6 ? "_v6" : "_v4") + (range.is_single() ? "" : "_net");
}
std::string place_of(const Work& work, const AddressRange& range) {
  return "inet " + firewall(work).table + " " + set_of(work, range);
}

Result<ProgramEnd> run_nft(const Work& work, const std::vector<std::string>& options,
                           std::string_view commands = {}) {
  Program program{.command = {firewall(work).nft},
                  .input = commands,
                  .output_bytes_max = listing_bytes_max,
                  .by_become = true};
  program.command.insert(program.command.end(), options.begin(), options.end());
  auto end = run_program(work, program);
  if (!end) return end;
  if (end->exit_code != 0 && end->errors.contains("Operation not permitted")) {
    return fail(Code::denied, saying(program, *end));
  }
  if (!end->whole) return fail(Code::denied, firewall(work).nft + ": says more than is read");
  return end;
}

std::unexpected<Error> refused(const Work& work, const ProgramEnd& end) {
  return fail(Code::denied, saying({.command = {firewall(work).nft}}, end));
}

std::string table_text(const Work& work) {
  const std::string table = "inet " + firewall(work).table + " ";
  std::string text = "create table " + table + "\n";
  for (const std::string_view ending : endings) {
    text += "add set " + table + firewall(work).set + std::string(ending) + " { type " +
            (ending.starts_with("_v4") ? "ipv4_addr" : "ipv6_addr") + "; flags " +
            (ending.ends_with("_net") ? "interval," : "") + "timeout; }\n";
  }
  for (const std::string_view hook : hooks) {
    const std::string chain = table + std::string(hook);
    text += "add chain " + chain + " { type filter hook " + std::string(hook) +
            " priority -10; policy accept; }\n";
    for (const std::string_view ending : endings) {
      text += "add rule " + chain + (ending.starts_with("_v4") ? " ip" : " ip6") + " saddr @" +
              firewall(work).set + std::string(ending) + " drop\n";
    }
  }
  return text;
}

// Whether nft's listing of the table has all that table_text() makes.
bool is_ours(const Work& work, const json::Value& listing) {
  std::size_t sets = 0;
  std::size_t rules = 0;
  const json::Array* const items = listing["nftables"].as_array();
  if (items == nullptr) return false;
  for (const json::Value& item : *items) {
    const std::string name = item["set"].text("name");
    sets += name.starts_with(firewall(work).set) &&
            std::ranges::find(endings, std::string_view(name).substr(firewall(work).set.size())) !=
                endings.end();
    const bool in_chain = std::ranges::find(hooks, item["rule"].text("chain")) != hooks.end();
    const json::Array* const parts = item["rule"]["expr"].as_array();
    rules += in_chain && parts != nullptr && parts->size() == 2 &&
             (*parts)[0]["match"].text("right").starts_with("@" + firewall(work).set + "_") &&
             parts->back().as_object() != nullptr && parts->back().as_object()->contains("drop");
  }
  return sets == endings.size() && rules == endings.size() * hooks.size();
}

// False: there is no such table.
Result<bool> has_table(const Work& work) {
  const auto end = run_nft(work, {"-j", "-t", "list", "table", "inet", firewall(work).table});
  if (!end) return std::unexpected(end.error());
  if (end->exit_code != 0) {
    if (end->errors.contains("No such file or directory")) return false;
    return refused(work, *end);
  }
  const auto listing = json::parse(end->output);
  if (listing && is_ours(work, *listing)) return true;
  return fail(Code::denied, "the firewall's table 'inet " + firewall(work).table +
                                "' is not as Mailwarden made it; delete it, or name another");
}

Result<void> make_table(const Work& work) {
  const auto has = has_table(work);
  if (!has) return std::unexpected(has.error());
  if (*has) return {};
  // All of it or nothing, and nothing where another thread was first.
  const auto made = run_nft(work, {"-f", "-"}, table_text(work));
  if (!made) return std::unexpected(made.error());
  if (made->exit_code == 0) return {};
  const auto now = has_table(work);
  if (now && *now) return {};
  return refused(work, *made);
}

bool is_element(const json::Value& element, const AddressRange& range) {
  const json::Value& value = element["elem"]["val"].is_null() ? element : element["elem"]["val"];
  if (range.is_single()) {
    return value.as_string() != nullptr && *value.as_string() == to_string(range);
  }
  const AddressRange listed = parse_range(value["prefix"].text("addr") + "/" +
                                          std::to_string(value["prefix"].integer("len", -1)))
                                  .value_or(AddressRange{.prefix = 0});
  return listed == range;
}

Result<bool> is_blocked(const Work& work, const AddressRange& range) {
  const auto has = has_table(work);
  if (!has) return std::unexpected(has.error());
  if (!*has) return false;
  const auto end =
      run_nft(work, {"-j", "list", "set", "inet", firewall(work).table, set_of(work, range)});
  if (!end) return std::unexpected(end.error());
  if (end->exit_code != 0) return refused(work, *end);
  const auto listing = json::parse(end->output, {.bytes_max = listing_bytes_max});
  if (!listing) return fail(Code::io, firewall(work).nft + ": " + listing.error().what);
  if (const json::Array* const items = (*listing)["nftables"].as_array(); items != nullptr) {
    for (const json::Value& item : *items) {
      const json::Array* const elements = item["set"]["elem"].as_array();
      if (elements != nullptr && std::ranges::any_of(*elements, [&](const json::Value& element) {
            return is_element(element, range);
          })) {
        return true;
      }
    }
  }
  return false;
}

Result<bool> probe_blocked(const Work& work) {
  const auto range = read_address(work);
  if (!range) return std::unexpected(range.error());
  return is_blocked(work, *range);
}

Result<bool> probe_unblocked(const Work& work) {
  const auto blocked = probe_blocked(work);
  if (!blocked) return std::unexpected(blocked.error());
  return !*blocked;
}

// A blocked address gets the new time, which nft gives only to what it adds.
std::string block_text(const Work& work, const AddressRange& range,
                       std::optional<std::int64_t> seconds) {
  const std::string place = place_of(work, range) + " { " + to_string(range);
  return "add element " + place + " }\ndelete element " + place + " }\nadd element " + place +
         (seconds ? " timeout " + std::to_string(*seconds) + "s" : "") + " }\n";
}

Result<json::Object> block(const Work& work) {
  const auto range = read_address(work);
  if (!range) return std::unexpected(range.error());
  if (auto may = may_block(work, *range); !may) return std::unexpected(may.error());
  const auto seconds = work.integer("seconds");
  if (seconds && (*seconds < 1 || *seconds > seconds_max)) {
    return fail(Code::invalid, "'seconds' must be from 1 to " + std::to_string(seconds_max));
  }
  if (auto made = make_table(work); !made) return std::unexpected(made.error());
  const auto end = run_nft(work, {"-f", "-"}, block_text(work, *range, seconds));
  if (!end) return std::unexpected(end.error());
  if (end->exit_code == 0) return json::Object{};
  if (end->errors.contains("overlaps")) {
    return fail(Code::denied, to_string(*range) +
                                  " overlaps a prefix that is blocked already; unblock that first");
  }
  return refused(work, *end);
}

Result<json::Object> unblock(const Work& work) {
  const auto range = read_address(work);
  if (!range) return std::unexpected(range.error());
  const auto blocked = is_blocked(work, *range);
  if (!blocked) return std::unexpected(blocked.error());
  if (!*blocked) return json::Object{};
  // Its time may be over before it is deleted; that is no failure.
  const std::string place = place_of(work, *range) + " { " + to_string(*range) + " }\n";
  const auto end = run_nft(work, {"-f", "-"}, "add element " + place + "delete element " + place);
  if (!end) return std::unexpected(end.error());
  if (end->exit_code != 0) return refused(work, *end);
  return json::Object{};
}

std::string shown(const Work& work, std::string_view between) {
  const auto range = parse_range(work.text("address"));
  if (!range) return in_quotes(work.text("address"));
  return to_string(*range) + std::string(between) + "the set '" + place_of(work, *range) +
         "' with " + firewall(work).nft;
}
std::string describe_block(const Work& work) {
  const auto seconds = work.integer("seconds");
  return "drop all that comes from " + shown(work, " by putting it into ") +
         (seconds ? ", for " + std::to_string(*seconds) + " s" : ", until it is taken out again");
}
std::string describe_unblock(const Work& work) {
  return "take " + shown(work, " out of ");
}

}  // namespace

const Action block_address{"block_address", block, probe_blocked, describe_block};
const Action unblock_address{"unblock_address", unblock, probe_unblocked, describe_unblock};

}  // namespace mailwarden::respond
