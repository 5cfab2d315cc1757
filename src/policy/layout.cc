#include "policy/layout.h"

#include <algorithm>

namespace mailwarden::policy {
namespace {

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Takes the comments that stand before the first text.
void take_comments(Layout& layout, std::vector<Layout>& into) {
  std::size_t taken = 0;
  for (Layout& part : layout.parts) {
    if (part.kind == Layout::Kind::comment) {
      into.push_back(std::move(part));
      ++taken;
      continue;
    }
    take_comments(part, into);
    break;
  }
  layout.parts.erase(layout.parts.begin(),
                     layout.parts.begin() + static_cast<std::ptrdiff_t>(taken));
}

class LayoutWriter {
 public:
  explicit LayoutWriter(const LayoutOptions& options) : options_(options) {}

  std::string run(const Layout& layout) {
    open_.push_back({&layout, 0, false});
    while (!open_.empty()) {
      const Step step = open_.back();
      open_.pop_back();
      write(step);
    }
    return std::move(out_);
  }

 private:
  using Kind = Layout::Kind;

  struct Step {
    const Layout* layout = nullptr;
    std::size_t indent = 0;
    bool is_flat = false;
  };

  static void push_parts(std::vector<Step>& onto, const Step& step) {
    const std::size_t more = step.layout->kind == Kind::indented ? 1 : 0;
    for (auto part = step.layout->parts.rbegin(); part != step.layout->parts.rend(); ++part) {
      onto.push_back({&*part, step.indent + more, step.is_flat});
    }
  }

  void write(const Step& step) {
    switch (step.layout->kind) {
      case Kind::text:
        put(step.layout->text, step.indent);
        return;
      case Kind::space:
        is_space_due_ = true;
        return;
      case Kind::line:
      case Kind::soft_line:
        if (!step.is_flat) {
          end_line();
        } else if (step.layout->kind == Kind::line) {
          is_space_due_ = true;
        }
        return;
      case Kind::hard_line:
        end_line();
        return;
      case Kind::comment:
        if (!is_line_empty_) end_line();
        put(step.layout->text, step.indent);
        is_line_over_ = true;
        return;
      case Kind::trailing_comment:
        is_space_due_ = true;
        put(step.layout->text, step.indent);
        is_line_over_ = true;
        return;
      case Kind::group:
        push_parts(open_, {step.layout, step.indent, step.is_flat || fits(step)});
        return;
      case Kind::indented:
      case Kind::sequence:
        push_parts(open_, step);
        return;
    }
  }

  void end_line() {
    out_ += '\n';
    column_ = 0;
    is_line_empty_ = true;
    is_line_over_ = false;
    is_space_due_ = false;
  }

  void put(std::string_view text, std::size_t indent) {
    if (is_line_over_) end_line();
    if (is_line_empty_) {
      out_.append(indent * options_.indent, ' ');
      column_ = indent * options_.indent;
    } else if (is_space_due_) {
      out_ += ' ';
      ++column_;
    }
    is_line_empty_ = false;
    is_space_due_ = false;
    out_ += text;
    // A string may hold ends of lines.
    const auto end = text.rfind('\n');
    if (end != std::string_view::npos) column_ = 0;
    column_ += columns(text.substr(end == std::string_view::npos ? 0 : end + 1));
  }

  // Whether a group fits on the line, with all that follows up to where a line may end.
  bool fits(const Step& group) const {
    std::vector<Step> todo{{group.layout, 0, true}};
    std::size_t rest = open_.size();
    std::size_t used = is_line_empty_ || is_line_over_ ? group.indent * options_.indent
                                                       : column_ + (is_space_due_ ? 1 : 0);
    bool is_outside = false;
    bool is_commented = false;
    while (used <= options_.line_width) {
      if (todo.empty()) {
        if (rest == 0 || is_commented) return true;
        is_outside = true;
        todo.push_back(open_[--rest]);
      }
      const Step step = todo.back();
      todo.pop_back();
      switch (step.layout->kind) {
        case Kind::text:
          if (is_commented) return false;
          used += columns(step.layout->text);
          break;
        case Kind::line:
        case Kind::soft_line:
          if (!step.is_flat) return true;
          used += step.layout->kind == Kind::line ? 1 : 0;
          break;
        case Kind::space:
          ++used;
          break;
        case Kind::hard_line:
        case Kind::comment:
          return is_outside;
        case Kind::trailing_comment:
          if (is_outside) return true;
          is_commented = true;
          break;
        default:
          push_parts(todo, step);
      }
    }
    return false;
  }

  const LayoutOptions& options_;
  std::string out_;
  std::vector<Step> open_;
  std::size_t column_ = 0;
  bool is_line_empty_ = true;
  bool is_line_over_ = false;  // behind a comment
  bool is_space_due_ = false;
};

}  // namespace

Layout Layout::indented(Layout inside) {
  Layout made{.kind = Kind::indented};
  made.parts.push_back(std::move(inside));
  return made;
}

Layout Layout::group(Layout inside) {
  Layout made;
  take_comments(inside, made.parts);
  Layout group{.kind = Kind::group};
  group.parts.push_back(std::move(inside));
  if (made.parts.empty()) return group;
  made.parts.push_back(std::move(group));
  return made;
}

std::string lay_out(const Layout& layout, const LayoutOptions& options) {
  return LayoutWriter(options).run(layout);
}

}  // namespace mailwarden::policy
