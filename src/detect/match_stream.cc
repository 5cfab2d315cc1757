#include "detect/match_stream.h"

#include <map>
#include <mutex>
#include <thread>

#include "base/bounded_queue.h"
#include "base/text.h"
#include "detect/event_blocks.h"
#include "detect/json_events.h"
#include "json/writer.h"

namespace mailwarden::detect {
namespace {

// What came of a block. Events are numbered within it, since blocks are worked on side by side.
struct Worked {
  struct Line {
    std::int64_t event = 0;
    std::size_t end = 0;  // in `text`; a line begins where the last ended
  };
  std::string text;
  std::vector<Line> lines;
  std::vector<std::pair<std::int64_t, std::string>> unread;
  std::int64_t events = 0;
  std::string mistake;
};

// What stands in lines whatever the event is.
struct FixedTexts {
  std::vector<std::string> rules;  // by number
  std::vector<std::string> items;  // by number
};

std::string rule_text(const Header& header, MatchFormat format) {
  std::string text;
  json::Writer writer(text);
  if (format == MatchFormat::json_lines) {
    writer.raw(R"(,"rule":)");
    writer.string(header.id);
    writer.raw(R"(,"title":)");
    writer.string(header.title);
    writer.raw(R"(,"level":")");
    writer.raw(to_string(header.level));
    writer.raw(R"(","matches":[)");
  } else {
    writer.raw("  ");
    writer.raw(to_string(header.level));
    writer.raw("  ");
    writer.raw(printable(header.title));
    writer.raw("  (" + printable(header.id) + ")");
  }
  writer.flush();
  return text;
}

std::string item_text(std::string_view selection, std::string_view field, MatchFormat format) {
  std::string text;
  json::Writer writer(text);
  if (format == MatchFormat::json_lines) {
    writer.raw(R"({"selection":)");
    writer.string(selection);
    writer.raw(R"(,"field":)");
    writer.string(field);
    writer.raw(R"(,"value":)");
  } else {
    writer.raw("\n    " + printable(selection) + ": " +
               (field.empty() ? "keyword" : printable(field)) + " = ");
  }
  writer.flush();
  return text;
}

FixedTexts fixed_texts(const RuleSet& rules, MatchFormat format) {
  const Engine& engine = rules.engine();
  FixedTexts fixed{.items = std::vector<std::string>(engine.items())};
  for (RuleNumber rule = 0; rule < rules.rules().size(); ++rule) {
    fixed.rules.push_back(rule_text(rules.rules()[rule].header, format));
    for (const CompiledSelection& selection : engine.rule(rule).selections) {
      for (const CompiledAlternative& alternative : selection.alternatives) {
        for (const CompiledItem& item : alternative.items) {
          fixed.items[item.number] =
              item_text(selection.name, engine.names().name(item.field), format);
        }
      }
    }
  }
  return fixed;
}

class Worker {
 public:
  Worker(const RuleSet& rules, const FixedTexts& fixed, const MatchStreamOptions& options)
      : engine_(rules.engine()), fixed_(fixed), options_(options), events_(options.logsource) {}

  Worked work(const EventBlock& block) {
    Worked worked;
    worked.mistake = block.mistake;
    for (const EventBlock::Part& part : block.events) {
      match(std::string_view(block.text).substr(part.begin, part.bytes), worked);
    }
    return worked;
  }

 private:
  void match(std::string_view object, Worked& worked) {
    const auto read = events_.read(object, engine_.names(), scratch_.view);
    if (!read) return match_several(object, read.error().what, worked);
    put_matches(worked);
  }

  // A line may hold several objects, one behind the other.
  void match_several(std::string_view line, const std::string& why, Worked& worked) {
    std::vector<std::string_view> objects;
    ObjectCutter cutter;
    cutter.feed(line, 0, [&](std::size_t begin, std::size_t end) {
      objects.push_back(line.substr(begin, end - begin));
    });
    if (objects.size() < 2 || cutter.inside() || cutter.strayed()) {
      worked.unread.emplace_back(worked.events++, why);
      return;
    }
    for (const std::string_view object : objects) {
      const auto read = events_.read(object, engine_.names(), scratch_.view);
      if (read) {
        put_matches(worked);
      } else {
        worked.unread.emplace_back(worked.events++, read.error().what);
      }
    }
  }

  void put_matches(Worked& worked) {
    engine_.match(scratch_.view, options_.routing, scratch_, matched_);
    if (!matched_.empty()) {
      const bool as_json = options_.format == MatchFormat::json_lines;
      json::Writer writer(worked.text);
      for (const RuleNumber rule : matched_) {
        writer.raw(fixed_.rules[rule]);
        as_json ? put_json(rule, writer) : put_text(rule, writer);
        writer.flush();
        worked.lines.push_back({.event = worked.events, .end = worked.text.size()});
      }
    }
    ++worked.events;
  }

  void put_json(RuleNumber rule, json::Writer& writer) {
    bool first = true;
    engine_.for_each_reason(rule, scratch_.view, scratch_, Detection::because_max,
                            [&](const auto&, const CompiledItem& item, std::string_view value) {
                              if (!std::exchange(first, false)) writer.raw(',');
                              writer.raw(fixed_.items[item.number]);
                              writer.string(value);
                              writer.raw('}');
                            });
    writer.raw("]}\n");
  }

  void put_text(RuleNumber rule, json::Writer& writer) {
    engine_.for_each_reason(rule, scratch_.view, scratch_, Detection::because_max,
                            [&](const auto&, const CompiledItem& item, std::string_view value) {
                              writer.raw(fixed_.items[item.number]);
                              writer.raw(printable(value));
                            });
    writer.raw('\n');
  }

  const Engine& engine_;
  const FixedTexts& fixed_;
  const MatchStreamOptions& options_;
  JsonEvents events_;
  MatchScratch scratch_;
  std::vector<RuleNumber> matched_;
};

// Puts what came of the blocks out in their order.
class Printer {
 public:
  Printer(const MatchStreamOptions& options, const MatchSinks& sinks)
      : begin_(options.format == MatchFormat::json_lines ? R"({"event":)" : "event "),
        sinks_(sinks) {}

  bool print(const Worked& worked) {
    std::string out;
    out.reserve(worked.text.size() + worked.lines.size() * 24);
    std::size_t from = 0;
    for (const Worked::Line& line : worked.lines) {
      out += begin_;
      out += std::to_string(totals_.events + line.event);
      out.append(worked.text, from, line.end - from);
      from = line.end;
    }
    for (const auto& [event, why] : worked.unread) {
      sinks_.complain("event " + std::to_string(totals_.events + event) + ": " + why);
    }
    if (!worked.mistake.empty()) {
      sinks_.complain("behind event " + std::to_string(totals_.events + worked.events - 1) + ": " +
                      worked.mistake);
      ++totals_.unread;
    }
    totals_.events += worked.events;
    totals_.matches += static_cast<std::int64_t>(worked.lines.size());
    totals_.unread += static_cast<std::int64_t>(worked.unread.size());
    return out.empty() || sinks_.write(out);
  }

  const MatchTotals& totals() const { return totals_; }

 private:
  std::string begin_;
  const MatchSinks& sinks_;
  MatchTotals totals_;
};

// Blocks go to whichever worker is free; their numbers bring them back into order.
class Crew {
 public:
  Crew(unsigned threads, const std::function<Worker()>& make)
      : most_(std::size_t{threads} * 2), blocks_(most_), done_(most_ + threads) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this, make] {
        Worker worker = make();
        while (auto block = blocks_.pop()) {
          if (!done_.push({block->first, worker.work(block->second)})) return;
        }
      });
    }
  }
  ~Crew() {
    blocks_.close();
    done_.close();
  }

  bool has_room() const { return given_ - taken_ < most_; }
  bool is_idle() const { return given_ == taken_; }
  void give(EventBlock block) { CHECK(blocks_.push({given_++, std::move(block)})); }
  // The next in order.
  Worked take() {
    while (!ready_.contains(taken_)) {
      auto one = done_.pop();
      CHECK(one.has_value());
      ready_.emplace(one->first, std::move(one->second));
    }
    return std::move(ready_.extract(taken_++).mapped());
  }

 private:
  std::size_t most_;
  std::size_t given_ = 0;
  std::size_t taken_ = 0;
  BoundedQueue<std::pair<std::size_t, EventBlock>> blocks_;
  BoundedQueue<std::pair<std::size_t, Worked>> done_;
  std::map<std::size_t, Worked> ready_;
  std::vector<std::jthread> threads_;  // last, so that they end before what they use
};

}  // namespace

Result<MatchTotals> match_stream(int descriptor, const RuleSet& rules,
                                 const MatchStreamOptions& options, const MatchSinks& sinks) {
  const FixedTexts fixed = fixed_texts(rules, options.format);
  EventBlocks blocks(descriptor);
  Printer printer(options, sinks);
  auto make = [&] { return Worker(rules, fixed, options); };
  if (options.threads <= 1) {
    Worker worker = make();
    while (true) {
      auto block = blocks.next();
      if (!block) return std::unexpected(block.error());
      if (!*block || !printer.print(worker.work(**block))) return printer.totals();
    }
  }
  Crew crew(options.threads, make);
  bool more = true;
  while (more || !crew.is_idle()) {
    if (more && crew.has_room()) {
      auto block = blocks.next();
      if (!block) return std::unexpected(block.error());
      more = block->has_value();
      if (more) crew.give(*std::move(*block));
    } else if (!printer.print(crew.take())) {
      return printer.totals();
    }
  }
  return printer.totals();
}

}  // namespace mailwarden::detect
