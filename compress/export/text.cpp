#include "compress/export/text.hpp"

#include <charconv>
#include <cstdio>

namespace espalier::exports {
namespace {

bool printable_ascii(char c) {
  return c >= ' ' && c <= '~';
}

std::string escape(const char* format, unsigned value) {
  char out[16];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

// The code point that begins at text[i], and its length; a byte that is no UTF-8 stands for itself.
std::pair<unsigned, std::size_t> code_point(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned lead = byte(i);
  const std::size_t length = lead >= 0xF0 && lead < 0xF5   ? 4
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                                                           : 1;
  if (length == 1 || i + length > text.size()) return {lead, 1};
  unsigned point = lead & (0xFFu >> (length + 1));
  for (std::size_t k = i + 1; k < i + length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return {lead, 1};
    point = point << 6 | (byte(k) & 0x3Fu);
  }
  if (point > 0x10FFFF) return {lead, 1};
  return {point, length};
}

}  // namespace

std::string replaced(std::string text,
                     const std::vector<std::pair<std::string_view, std::string>>& pairs) {
  for (const auto& [from, to] : pairs)
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  return text;
}

std::string decimal(float value) {
  char out[64];
  auto end = std::to_chars(out, out + sizeof out, value).ptr;
  double back = 0;
  std::from_chars(out, end, back);
  if (static_cast<float>(back) != value)
    end = std::to_chars(out, out + sizeof out, static_cast<double>(value)).ptr;
  std::string text(out, end);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

std::string lines_of(const std::vector<std::string>& items, std::string_view indent) {
  std::string text, line(indent);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string item = items[i] + (i + 1 < items.size() ? "," : "");
    if (line.size() + 1 + item.size() > 100 && line.size() > indent.size()) {
      text += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += " ";
    line += item;
  }
  return text + line + "\n";
}

std::string c_literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '?' || c == '@' || !printable_ascii(c))  // ?: no trigraphs
      out += escape("\\%03o", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

std::string js_literal(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const auto [point, length] = code_point(text, i);
    i += length;
    const bool plain = point >= ' ' && point <= '~';
    if (plain && point != '"' && point != '\\' && point != '<' &&  // no </script>
        point != '@')
      out += static_cast<char>(point);
    else if (point > 0xFFFF)
      out += escape("\\u%04x", 0xD800 + ((point - 0x10000) >> 10)) +
             escape("\\u%04x", 0xDC00 + ((point - 0x10000) & 0x3FF));
    else
      out += escape("\\u%04x", point);
  }
  return out + "\"";
}

std::string comment(std::string_view text) {
  std::string out;
  for (const char c : text)
    out +=
        printable_ascii(c) && c != '*' && c != '/' && c != '\\' && c != '<' && c != '@' ? c : '?';
  return out;
}

}  // namespace espalier::exports
