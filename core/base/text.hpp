// Numbers and names as people read them, and what the terminal can show.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

std::string with_commas(std::int64_t value);                      // 20410 -> "20,410"
std::string fixed(double value, int decimals);                    // 0.97941, 2 -> "0.98"
std::string percent(double fraction, int decimals = 2);           // 0.9794 -> "97.94 %"
double shortest_decimal(float value);                             // 0.8f -> 0.8, not 0.80000001
std::string duration(double seconds);                             // 75 -> "1 min 15 s"
std::string pad_left(std::string_view text, std::size_t width);   // right-aligned
std::string pad_right(std::string_view text, std::size_t width);  // left-aligned
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// Whether the locale's characters are UTF-8, by LC_ALL, LC_CTYPE and LANG, the first that is set.
// Programs then draw with block elements, else with ASCII.
bool utf8_locale();

// Columns that a terminal shows: UTF-8 code points, each counted as one.
std::size_t display_width(std::string_view text);

// The text as a terminal may show it: control characters (U+0000 to 1F, 7F to 9F) and bytes that are
// no UTF-8 become \x1b and the like, so that a file's own text cannot steer the terminal.
std::string printable(std::string_view text);

// As one word of a command line: in single quotes where a shell would read something else.
std::string shell_word(std::string_view text);

// The candidate nearest to `name` by edit distance, or "" if none is near: for "did you mean".
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace espalier
