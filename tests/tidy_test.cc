// The house rules that a compiler does not know: who may include whom, how long things may be, and
// which calls have a better one.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden {
namespace {

namespace fs = std::filesystem;

// A module includes only modules of lower floors. src/README.md draws the same table.
const std::map<std::string, int> floors{
    {"base", 0},     {"json", 1},   {"crypto", 1},   {"db", 1},      {"net", 1},    {"event", 2},
    {"store", 2},    {"vault", 2},  {"ingest", 3},   {"detect", 3},  {"ledger", 3}, {"policy", 3},
    {"identity", 3}, {"access", 4}, {"incident", 4}, {"respond", 5}, {"alert", 5},  {"privacy", 5},
    {"report", 6},   {"http", 7},   {"config", 8},   {"app", 9}};

// A third-party header stays in the folders that keep it, so that its exceptions and its weight do.
const std::vector<std::pair<std::string, std::set<std::string>>> libraries{
    {"sqlite3.h", {"src/db"}},
    {"pqxx/", {"src/db"}},
    {"openssl/", {"src/crypto", "src/net"}},
    {"p11-kit/", {"src/crypto"}},
    {"nlohmann/", {"src/json"}},
    {"simdjson.h", {"src/json"}},
    {"yaml-cpp/", {"src/json"}},
    {"boost/asio", {"src/net"}},
    {"boost/beast", {"src/net"}},
    {"curl/", {"src/net"}},
    {"boost/program_options", {"src/config", "daemon"}},
    {"re2/", {"src/detect"}},
    {"yara.h", {"src/detect"}},
    {"auparse.h", {"src/ingest"}},
    {"date/", {"src/ingest", "src/alert"}},
    {"spdlog/", {"src/base"}},
    {"prometheus/", {"src/http"}},
    {"systemd/", {"src/app"}}};

struct Banned {
  std::string pattern;
  std::string instead;
  std::set<std::string> but;  // files where it has its place
};

const std::vector<Banned> banned{
    {R"(system_clock::now)", "take a Clock or a Timestamp", {"src/base/clock.cc"}},
    {R"(\bthrow\b)", "return a Result", {}},
    {R"(catch \(\.\.\.\))", "catch what the library throws, in its adapter", {}},
    {R"(\.detach\(\))", "keep the jthread and join it", {}},
    {R"(\bgetenv\b)", "make it a setting in config/", {}},
    {R"(\bstd::regex\b)", "use RE2 in detect/, or scan by hand", {}},
    {R"(\bsleep_for\b)", "wait on a condition or a queue with a time-out", {}},
    {R"(\b(strcpy|strcat|sprintf|gets|system|popen)\()",
     "use std::string, or spawn without a shell",
     {}},
    {R"(\brand\(\))", "take an Entropy", {}},
    {std::string("\\b(FIX") + "ME|TO" + "DO|XX" + "X)\\b", "do it now, or file it", {}}};

struct Source {
  std::string path;  // from the checkout
  std::vector<std::string> lines;
};

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Source> sources(const std::vector<std::string>& folders) {
  const fs::path root = source_folder();
  std::vector<Source> found;
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".cc" && extension != ".h") continue;
      found.push_back({fs::relative(entry.path(), root).string(), lines_of(entry.path())});
    }
  }
  std::ranges::sort(found, {}, &Source::path);
  return found;
}

std::vector<Source> program_sources() {
  return sources({"src", "daemon"});
}
std::vector<Source> all_sources() {
  return sources({"src", "daemon", "tests"});
}

std::string place(const Source& source, std::size_t line) {
  return source.path + ":" + std::to_string(line + 1);
}

std::string module_of(const std::string& path) {
  const std::size_t begin = path.find('/') + 1;
  return path.substr(begin, path.find('/', begin) - begin);
}

bool stands_in(const std::string& path, const std::set<std::string>& folders) {
  return std::ranges::any_of(folders, [&](const std::string& folder) {
    return path == folder || path.starts_with(folder + "/");
  });
}

TEST(Tidy, EveryFolderOfSrcHasAFloor) {
  for (const auto& entry : fs::directory_iterator(fs::path(source_folder()) / "src")) {
    if (!entry.is_directory() || fs::is_empty(entry)) continue;
    EXPECT_TRUE(floors.contains(entry.path().filename().string())) << entry.path();
  }
}

TEST(Tidy, TheMapDrawsEveryModule) {
  const std::string map = read_file(source_folder() + "/src/README.md");
  for (const auto& [name, floor] : floors) {
    if (!fs::exists(fs::path(source_folder()) / "src" / name)) continue;
    EXPECT_NE(map.find(name + "/"), std::string::npos) << "src/README.md does not name " << name;
  }
}

TEST(Tidy, ModulesIncludeOnlyLowerFloors) {
  const std::regex include(R"re(^\s*#include "([a-z]+)/[a-z0-9_/]+\.h")re");
  for (const Source& source : sources({"src"})) {
    const std::string module = module_of(source.path);
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      std::smatch found;
      if (!std::regex_search(source.lines[i], found, include) || found[1] == module) continue;
      ASSERT_TRUE(floors.contains(found[1])) << place(source, i) << ": " << found[1];
      EXPECT_LT(floors.at(found[1]), floors.at(module))
          << place(source, i) << ": " << module << " must not include " << found[1];
    }
  }
}

TEST(Tidy, LibrariesStayInTheirFolders) {
  const std::regex include(R"(^\s*#include <(.+)>)");
  for (const Source& source : program_sources()) {
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      std::smatch found;
      if (!std::regex_search(source.lines[i], found, include)) continue;
      for (const auto& [header, folders] : libraries) {
        if (!found[1].str().starts_with(header)) continue;
        EXPECT_TRUE(stands_in(source.path, folders))
            << place(source, i) << ": <" << found[1] << "> has no place here";
        EXPECT_TRUE(source.path.ends_with(".cc") || source.path.starts_with("daemon/"))
            << place(source, i) << ": a header of ours must not show <" << found[1] << ">";
      }
    }
  }
}

// What stands in comments and strings is not a call.
std::string code_of(const std::string& line) {
  std::string code;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!quoted && line.compare(i, 2, "//") == 0) break;
    if (line[i] == '\\' && quoted) {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      code += line[i];
    }
  }
  return code;
}

TEST(Tidy, BannedCallsHaveABetterOne) {
  const std::vector<Source> all = program_sources();
  for (const Banned& ban : banned) {
    const std::regex pattern(ban.pattern);
    const bool in_comments = ban.instead.starts_with("do it now");
    for (const Source& source : all) {
      if (stands_in(source.path, ban.but)) continue;
      for (std::size_t i = 0; i < source.lines.size(); ++i) {
        const std::string text = in_comments ? source.lines[i] : code_of(source.lines[i]);
        EXPECT_FALSE(std::regex_search(text, pattern))
            << place(source, i) << ": " << ban.pattern << ": " << ban.instead;
      }
    }
  }
}

TEST(Tidy, LinesAndFilesHaveTheirLimits) {
  for (const Source& source : all_sources()) {
    EXPECT_LE(source.lines.size(), 500U) << source.path;
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      // Columns are characters, so continuation bytes of UTF-8 do not count.
      const auto columns = std::ranges::count_if(
          source.lines[i], [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
      EXPECT_LE(columns, 100) << place(source, i);
      EXPECT_FALSE(source.lines[i].ends_with(' ')) << place(source, i);
    }
  }
}

// The text with directives, comments, strings and character literals blanked, lines kept.
std::string bare(std::string text) {
  text.insert(0, 1, '\n');  // so that a directive always follows one
  static const std::regex hidden(
      R"re(//[^\n]*|\n#[^\n]*|R"([a-z]*)\([\s\S]*?\)\1"|"(\\.|[^"\\\n])*"|\B'(\\.|[^'\\\n])+')re");
  std::string result;
  auto from = text.begin();
  for (std::sregex_iterator it(text.begin(), text.end(), hidden), end; it != end; ++it) {
    result.append(from, text.begin() + it->position());
    for (const char c : it->str()) result += c == '\n' ? '\n' : ' ';
    from = text.begin() + it->position() + it->length();
  }
  return result.append(from, text.end()).substr(1);
}

// The lines of each function: from where a brace opens behind a parameter list, outside any
// function, to where it closes.
struct Span {
  std::size_t line = 0;
  std::size_t lines = 0;
};

std::vector<Span> functions(const std::string& text) {
  static const std::regex scope(R"(^\s*(inline\s+)?(namespace|class|struct|enum|union|extern)\b)");
  std::vector<Span> found;
  std::string statement;
  std::size_t line = 0;
  std::size_t begin = 0;
  int scopes = 0;  // namespaces and classes around us
  int depth = 0;   // braces inside a function or an initializer
  bool function = false;
  for (const char c : text) {
    if (c == '\n') ++line;
    if (c == '{') {
      if (depth == 0 && std::regex_search(statement, scope)) {
        ++scopes;
      } else if (depth++ == 0) {
        begin = line;
        function = statement.find('(') != std::string::npos &&
                   statement.substr(0, statement.find('(')).find('=') == std::string::npos;
      }
    } else if (c == '}' && depth > 0) {
      if (--depth == 0 && function) found.push_back({begin, line - begin + 1});
    } else if (c == '}') {
      --scopes;
    }
    if (depth == 0 && (c == ';' || c == '{' || c == '}')) {
      statement.clear();
    } else if (depth == 0 && c != '\n') {
      statement += c;
    }
  }
  EXPECT_EQ(scopes, 0);
  EXPECT_EQ(depth, 0);
  return found;
}

TEST(Tidy, FunctionsFitAScreen) {
  std::size_t seen = 0;
  for (const Source& source : program_sources()) {
    SCOPED_TRACE(source.path);
    const std::vector<Span> found = functions(bare(read_file(source_folder() + "/" + source.path)));
    seen += found.size();
    for (const Span& span : found) EXPECT_LE(span.lines, 70U) << place(source, span.line);
  }
  EXPECT_GT(seen, 500U);
}

// A header is public where another module includes it.
std::set<std::string> public_headers() {
  const std::regex include(R"re(^\s*#include "(([a-z]+)/[a-z0-9_/]+\.h)")re");
  std::set<std::string> found;
  for (const Source& source : program_sources()) {
    for (const std::string& line : source.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      if (match[2] != module_of(source.path)) found.insert("src/" + match[1].str());
    }
  }
  return found;
}

TEST(Tidy, PublicHeadersOpenAsAManualPage) {
  const std::set<std::string> open = public_headers();
  for (const Source& source : sources({"src"})) {
    if (!open.contains(source.path)) continue;
    std::string head;
    for (const std::string& line : source.lines) {
      if (!line.starts_with("//")) break;
      head += line + "\n";
    }
    for (const char* part : {"// What ", "// Owns ", "// Threads ", "// Errors ", "// Limits "}) {
      EXPECT_NE(head.find(part), std::string::npos) << source.path << " lacks '" << part << "'";
    }
  }
}

TEST(Tidy, EveryTestOfAModuleAssertsSomething) {
  for (const Source& source : sources({"tests"})) {
    if (!source.path.ends_with("_test.cc")) continue;
    const bool asserts = std::ranges::any_of(source.lines, [](const std::string& line) {
      return line.contains("EXPECT_") || line.contains("ASSERT_");
    });
    EXPECT_TRUE(asserts) << source.path;
  }
}

}  // namespace
}  // namespace mailwarden
