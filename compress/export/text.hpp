// Pieces of the programs that the exporters write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace espalier::exports {

// `text` with each {from, to} of `pairs` replaced wherever it stands.
std::string replaced(std::string text,
                     const std::vector<std::pair<std::string_view, std::string>>& pairs);

// The shortest decimal number that reads back as this float32, in any language: "0.1", "3e-05",
// "1.0". A reader that goes through a double gets it, too.
std::string decimal(float value);

// "1, 2, 3" broken into lines of at most 100 columns, each behind `indent`.
std::string lines_of(const std::vector<std::string>& items, std::string_view indent);

// A string literal of C and of JavaScript: quotes included, everything but printable ASCII escaped, and @,
// which marks the places that replaced() fills.
std::string c_literal(std::string_view text);
std::string js_literal(std::string_view text);

// What may stand in a comment: other characters than printable ASCII, and what could end the
// comment, become '?'.
std::string comment(std::string_view text);

}  // namespace espalier::exports
