// What a pipeline does to the values of an item.
//
// What     A pipeline sees a value as pySigma does, behind the modifiers contains, startswith and
//          endswith, which are wildcards there; encodings are not done yet. Where the text changes,
//          the item is rewritten so that it says the same with wildcards of its own.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid}: a value that cannot become what is asked for. Error{full}: more or
//          longer values than PipelineLimits allow.
// Limits   text_bytes_max of a text, values_max values of an item.
// Source   docs/sigma.md, "Texts"; docs/pipelines.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/pipeline.h"

namespace mailwarden::detect {

// Spaces in the names of fields do not count.
std::string field_name(std::string_view written);
bool has_modifier(const DetectionItem& item, std::string_view modifier);
// Whether its values are names of fields.
bool is_reference(const DetectionItem& item);

// Whether pySigma would call it a string: neither an expression, a network, a comparison nor
// another thing that is no text, nor a plain number, truth or null.
bool is_string(const DetectionItem& item, const RuleValue& value);
// The text with wildcards as `*` and `?`; a star or question mark of its own has a backslash.
std::string seen_text(const DetectionItem& item, const RuleValue& value);
bool sees_wildcards(const DetectionItem& item, const RuleValue& value);
// Whether the value of the item is this one, of the same type.
bool equals(const DetectionItem& item, const RuleValue& value, const RuleValue& wanted);

// What a change makes of an item: the values that stand in place of each one, and an item with
// the modifiers that suit them. Nothing where it changes nothing.
struct ChangedValues {
  DetectionItem item;
  std::vector<std::vector<RuleValue>> values;
};
using MaybeChanged = Result<std::optional<ChangedValues>>;

MaybeChanged replace_string(const ReplaceString& change, const DetectionItem& item,
                            std::size_t text_bytes_max);
MaybeChanged map_string(const MapString& change, const DetectionItem& item);
MaybeChanged change_case(const ChangeCase& change, const DetectionItem& item);
MaybeChanged convert_type(const ConvertType& change, const DetectionItem& item);
MaybeChanged set_value(const SetValue& change, const DetectionItem& item);
MaybeChanged replace_placeholders(const ReplacePlaceholders& change, const Placeholders& vars,
                                  const DetectionItem& item, std::size_t text_bytes_max);

// The item with these values: alternatives of items that hold together. With `all` each value must
// match, so that a value that became several needs an item of its own.
std::vector<std::vector<DetectionItem>> with_values(const ChangedValues& changed);

}  // namespace mailwarden::detect
