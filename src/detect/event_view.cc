#include "detect/event_view.h"

#include <algorithm>

#include "base/text.h"

namespace mailwarden::detect {

void EventView::begin(const FieldNames& names) {
  names_ = &names;
  if (chains_.size() < names.size()) chains_.resize(names.size());
  values_.clear();
  searched_ = 0;
  if (++turn_ == 0) {  // after four milliards of events the numbers begin anew
    std::ranges::fill(chains_, Chain());
    turn_ = 1;
  }
  raw_ = {};
  logsource_ = {};
}

void EventView::add(FieldId field, std::string_view text, FieldKind kind) {
  values_.push_back({.text = text, .field = field, .kind = kind});
  searched_ = values_.size();
  if (field == no_field) return;
  const auto place = static_cast<std::uint32_t>(values_.size());
  Chain& chain = chains_[field];
  if (chain.turn != turn_) {
    chain = {.turn = turn_, .first = place, .last = place};
  } else {
    values_[chain.last - 1].next = place;
    chain.last = place;
  }
}

void EventView::set_logsource(std::string_view product, std::string_view category,
                              std::string_view service) {
  lowered_.clear();
  for (const std::string_view part : {product, category, service}) {
    std::ranges::transform(part, std::back_inserter(lowered_), [](char c) { return to_lower(c); });
  }
  const std::string_view all = lowered_;
  logsource_ = {.product = all.substr(0, product.size()),
                .category = all.substr(product.size(), category.size()),
                .service = all.substr(product.size() + category.size())};
}

void EventView::fill(const FieldNames& names, const Event& event) {
  begin(names);
  for (std::size_t i = 0; i < event.fields.size(); ++i) {
    const Field field = event.fields[i];
    add(field.name, field.value, field.kind);
  }
  const std::size_t own = values_.size();
  std::size_t buffer = 0;
  for (const auto& [name, attribute] : attribute_names) {
    const FieldId field = names.find(name);
    if (field == no_field || has(field)) continue;
    const std::string_view text = attribute_of(event, attribute, attributes_[buffer++]);
    if (!text.empty()) add(field, text, FieldKind::string);
  }
  searched_ = own;
  set_raw(event.raw);
  set_logsource(event.logsource.product, event.logsource.category, event.logsource.service);
}

}  // namespace mailwarden::detect
