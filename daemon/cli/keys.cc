// mailwarden keys: the key-encryption key of a sealed store, and its book of keys.
#include <algorithm>
#include <array>

#include "crypto/file_key_provider.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

struct KekFile {
  std::string name;
  std::string path;
};

// Tokens and key services have tools of their own for their keys.
Result<KekFile> file_of(const po::variables_map& given) {
  const auto kek = vault::parse_kek(given["kek"].as<std::string>());
  if (!kek) return fail("--kek", kek.error());
  const auto* file = std::get_if<vault::FileKek>(&kek->place);
  if (file != nullptr) return KekFile{.name = kek->name, .path = file->path};
  return fail(Code::invalid,
              "--kek: this is done to file:PATH alone; the versions of a key in a token or a key "
              "service are changed with its own tool");
}

int make_command(const Arguments& arguments) {
  po::options_description options("Options");
  options.add_options()("kek", text_option("KEK"), "file:PATH, a new file");
  int code = done;
  const auto given = read_needed(arguments, "keys make --kek file:PATH", options, {"kek"}, code);
  if (!given) return code;
  const auto file = file_of(*given);
  if (!file) return complain(file.error());
  crypto::SystemEntropy entropy;
  if (auto made = crypto::FileKeyProvider::create(file->path, entropy); !made) {
    return complain(made.error());
  }
  print(file->path +
        " holds a new key-encryption key; keep a copy apart from the store and the book of keys, "
        "since without it a sealed store cannot be read\n");
  return done;
}

int add_version_command(const Arguments& arguments) {
  po::options_description options("Options");
  options.add_options()("kek", text_option("KEK"), "file:PATH");
  int code = done;
  const auto given =
      read_needed(arguments, "keys add-version --kek file:PATH", options, {"kek"}, code);
  if (!given) return code;
  const auto file = file_of(*given);
  if (!file) return complain(file.error());
  crypto::SystemEntropy entropy;
  const auto version = crypto::FileKeyProvider::add_version(file->path, entropy);
  if (!version) return complain(version.error());
  print(file->path + " has version " + std::to_string(*version) +
        ", which wraps keys from now on; the versions before it stay until no key needs them\n");
  return done;
}

Result<std::uint32_t> version_of(const po::variables_map& given) {
  const auto version = given["version"].as<std::int64_t>();
  if (version >= 1 && version <= UINT32_MAX) return static_cast<std::uint32_t>(version);
  return fail(Code::invalid, "--version is a number from 1");
}

// What the version has wrapped could never be unwrapped again.
Result<void> check_unused(OpenedKeys& keys, const crypto::KekName& kek, const std::string& book) {
  const auto counts = keys->vault().counts();
  if (!counts) return std::unexpected(counts.error());
  const auto used = std::ranges::find(*counts, kek, &vault::KekCount::kek);
  if (used == counts->end()) return {};
  return fail(Code::conflict, "key-encryption key " + crypto::to_string(kek) + " stays: keys in " +
                                  book + " that it has wrapped: " + std::to_string(used->keys) +
                                  "; a running daemon wraps them anew under the newest version");
}

int drop_version_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_key_options(options);
  options.add_options()("version", po::value<std::int64_t>()->value_name("N"),
                        "the version that goes");
  int code = done;
  const auto given =
      read_needed(arguments, "keys drop-version --kek file:PATH --version N --keys PATH", options,
                  {"kek", "version", "keys"}, code);
  if (!given) return code;
  const auto file = file_of(*given);
  if (!file) return complain(file.error());
  const auto version = version_of(*given);
  if (!version) return complain(version.error());
  const auto keys = OpenedKeys::open(*given);
  if (!keys) return complain(keys.error());
  const crypto::KekName kek{.name = file->name, .version = *version};
  if (auto unused = check_unused(**keys, kek, (*given)["keys"].as<std::string>()); !unused) {
    return complain(unused.error());
  }
  if (auto dropped = crypto::FileKeyProvider::drop_version(file->path, *version); !dropped) {
    return complain(dropped.error());
  }
  print(file->path + " has no version " + std::to_string(*version) +
        " any more; no older copy of the book of keys is opened by it now\n");
  return done;
}

json::Object to_json(const std::vector<vault::KekCount>& counts, const vault::BookState& state,
                     const crypto::KekName& newest) {
  json::Array keks;
  for (const vault::KekCount& count : counts) {
    keks.push_back(json::Object{{"kek", count.kek.name},
                                {"version", std::int64_t{count.kek.version}},
                                {"keys", count.keys},
                                {"newest", count.kek == newest}});
  }
  json::Array waiting;
  for (const std::string& table : state.waiting) waiting.push_back(table);
  return {{"keks", std::move(keks)},
          {"newest", json::Object{{"kek", newest.name}, {"version", std::int64_t{newest.version}}}},
          {"shredded", state.shredded},
          {"subjects", state.subjects},
          {"waiting", std::move(waiting)}};
}

void print_status(const std::vector<vault::KekCount>& counts, const vault::BookState& state,
                  const crypto::KekName& newest) {
  std::vector<std::vector<std::string>> rows;
  for (const vault::KekCount& count : counts) {
    rows.push_back({count.kek.name, std::to_string(count.kek.version), std::to_string(count.keys),
                    count.kek == newest ? "newest" : "to be wrapped anew"});
  }
  if (std::ranges::find(counts, newest, &vault::KekCount::kek) == counts.end()) {
    rows.push_back({newest.name, std::to_string(newest.version), "0", "newest"});
  }
  print_table({"KEK", "VERSION", "KEYS", "WHAT"}, rows);
  print("subjects with a key: " + std::to_string(state.subjects) +
        "\nkeys shredded: " + std::to_string(state.shredded) + "\n");
  std::string tables;
  for (const std::string& table : state.waiting) tables += (tables.empty() ? "" : ", ") + table;
  print(tables.empty() ? "no value waits to be sealed for its subjects\n"
                       : "values of " + tables + " wait to be sealed for their subjects\n");
}

int status_of_keys(const Arguments& arguments) {
  po::options_description options("Options");
  add_key_options(options);
  add_format_option(options);
  int code = done;
  const auto given =
      read_needed(arguments, "keys status --keys PATH --kek KEK", options, {"keys", "kek"}, code);
  if (!given) return code;
  const auto keys = OpenedKeys::open(*given);
  if (!keys) return complain(keys.error());
  const auto newest = (**keys)->newest_kek();
  if (!newest) return complain(newest.error());
  const auto counts = (**keys)->vault().counts();
  if (!counts) return complain(counts.error());
  const auto state = (**keys)->vault().state();
  if (!state) return complain(state.error());
  if (wants_json(*given)) {
    print_json(to_json(*counts, *state, *newest));
  } else {
    print_status(*counts, *state, *newest);
  }
  return done;
}

// What a person orders of the daemon about the key of an address.
struct Order {
  std::string_view synopsis;
  std::string_view path;
  bool needs_address = true;
  std::string (*say)(const json::Value& answer) = nullptr;
};

int give_order(const Arguments& arguments, const Order& order) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("reason", text_option("TEXT")->default_value(""), "why, which the ledger keeps");
  add("who", text_option("PERSON")->default_value(""), "who orders it");
  int code = done;
  const auto given = read_options(arguments, order.synopsis, options, "address", code);
  if (!given) return code;
  const auto addresses = given->contains("address")
                             ? (*given)["address"].as<std::vector<std::string>>()
                             : std::vector<std::string>();
  if (addresses.size() > 1 || (order.needs_address && addresses.empty())) {
    return complain(usage, "expected one mail address");
  }
  const auto answer =
      ask_daemon(*given, {.path = std::string(order.path),
                          .act = json::to_text(json::Object{
                              {"reason", (*given)["reason"].as<std::string>()},
                              {"subject", addresses.empty() ? std::string() : addresses.front()},
                              {"who", (*given)["who"].as<std::string>()}})});
  if (!answer) return complain(answer.error());
  if (wants_json(*given)) {
    print_json(*answer);
  } else {
    print(order.say(*answer) + "\n");
  }
  return done;
}

int renew_command(const Arguments& arguments) {
  return give_order(
      arguments,
      {.synopsis = "keys renew [ADDRESS] --reason TEXT [--who PERSON]\nA new key for what names "
                   "the person, or, without an address, for what names nobody; the\ndaemon seals "
                   "anew what the old one has.",
       .path = "/api/v1/key-renewals",
       .needs_address = false,
       .say = [](const json::Value&) -> std::string {
         return "there is a new key; what the old one has sealed is sealed anew by and by";
       }});
}

constexpr std::array keys_commands{
    Group{"make", "makes a key-encryption key (KEK) in a new file", make_command},
    Group{"add-version", "adds a version to it, which wraps keys from then on",
          add_version_command},
    Group{"drop-version", "takes out a version that no key needs any more", drop_version_command},
    Group{"renew", "a new data key for a person, or for what names nobody", renew_command},
    Group{"status", "which version has wrapped how many keys, and what waits", status_of_keys}};

}  // namespace

int erase_command(const Arguments& arguments) {
  return give_order(
      arguments,
      {.synopsis = "erase ADDRESS --reason TEXT [--who PERSON]\nShreds the key of the person with "
                   "that mail address: whatever the store and its copies say\nof them can never be "
                   "read again.",
       .path = "/api/v1/erasures",
       .say = [](const json::Value& answer) -> std::string {
         return answer.text("key") == "shredded"
                    ? "erased: the key is shredded"
                    : "nothing to erase: the store has no key of that address";
       }});
}

int keys_command(const Arguments& arguments) {
  return run_one_of("keys", keys_commands, arguments);
}

}  // namespace mailwarden::cli
