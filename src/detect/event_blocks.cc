#include "detect/event_blocks.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "base/text.h"
#include "json/flatten.h"

namespace mailwarden::detect {
namespace {

bool is_object(std::string_view line) {
  json::Flattener flattener({.names_may_repeat = true});
  return flattener.flatten(line).has_value();
}

}  // namespace

// Reads until so many bytes are there or the stream has ended; false at the end of everything.
Result<bool> EventBlocks::fill(std::size_t bytes) {
  while (!ended_ && rest_.size() < bytes) {
    const std::size_t before = rest_.size();
    ssize_t got = 0;
    rest_.resize_and_overwrite(
        std::max(bytes, before + block_bytes / 4), [&](char* text, std::size_t room) {
          got = ::read(descriptor_, text + before, room - before);
          return before + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
        });
    if (got < 0 && errno != EINTR) return fail(Code::io, std::strerror(errno));
    if (got == 0) ended_ = true;
  }
  return !rest_.empty();
}

Result<std::optional<EventBlock>> EventBlocks::next() {
  for (std::size_t wanted = block_bytes;; wanted += block_bytes) {
    const auto filled = fill(wanted);
    if (!filled) return std::unexpected(filled.error());
    if (!*filled) return std::nullopt;
    if (form_ == Form::unknown) find_form();
    EventBlock block = form_ == Form::lines ? cut_lines() : cut_objects();
    if (!block.events.empty() || !block.mistake.empty()) return block;
    if (ended_) return std::nullopt;
  }
}

void EventBlocks::find_form() {
  std::string_view text = rest_;
  while (!text.empty()) {
    const std::string_view line = trim(text.substr(0, text.find('\n')));
    if (!line.empty()) {
      form_ = is_object(line) ? Form::lines : Form::objects;
      return;
    }
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
}

// The first so many bytes, with room behind them that may be read.
EventBlock EventBlocks::take(std::size_t bytes) {
  EventBlock block;
  if (bytes < rest_.size() / 2) {
    block.text.assign(rest_, 0, bytes);
    rest_.erase(0, bytes);
  } else {
    block.text = std::exchange(rest_, rest_.substr(bytes));
    block.text.resize(bytes);
  }
  block.text.append(json::Flattener::padding, ' ');
  return block;
}

EventBlock EventBlocks::cut_lines() {
  std::size_t end = ended_ ? rest_.size() : rest_.rfind('\n') + 1;
  std::string mistake;
  if (end == 0 && rest_.size() > object_bytes_max) {
    mistake = "a line is longer than " + std::to_string(object_bytes_max) + " bytes";
    end = rest_.size();
  }
  EventBlock block = take(end);
  block.mistake = std::move(mistake);
  if (!block.mistake.empty()) return block;
  const std::string_view text(block.text.data(), end);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t line_end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trim(text.substr(begin, line_end - begin));
    if (!line.empty()) {
      block.events.push_back(
          {.begin = static_cast<std::size_t>(line.data() - text.data()), .bytes = line.size()});
    }
    begin = line_end + 1;
  }
  return block;
}

EventBlock EventBlocks::cut_objects() {
  std::vector<EventBlock::Part> events;
  std::size_t end = 0;
  cutter_.feed(rest_, looked_at_, [&](std::size_t from, std::size_t to) {
    events.push_back({.begin = from, .bytes = to - from});
    end = to;
  });
  looked_at_ = rest_.size();
  std::string mistake;
  if (!cutter_.inside()) end = rest_.size();
  if (cutter_.inside() && rest_.size() - cutter_.begin() > object_bytes_max) {
    mistake = "an object is longer than " + std::to_string(object_bytes_max) +
              " bytes; what is behind it is not read";
    ended_ = true;
    end = rest_.size();
    cutter_ = ObjectCutter();
  } else if (ended_ && cutter_.inside()) {
    mistake = "the last object has no end";
    end = rest_.size();
    cutter_ = ObjectCutter();
  } else if (cutter_.strayed()) {
    mistake = "there is text that is no part of a JSON object";
    if (!cutter_.inside()) cutter_ = ObjectCutter();
  }
  EventBlock block = take(end);
  block.events = std::move(events);
  block.mistake = std::move(mistake);
  looked_at_ -= end;
  cutter_.moved(end);
  return block;
}

}  // namespace mailwarden::detect
