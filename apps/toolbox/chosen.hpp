// --only: a part of the rows, by what their names hold.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {

// Those of `all` whose name holds one of the parts; without parts all of them. Errors: kUsage, with
// the names there are, for a part that no `kind`'s name holds.
template <class T>
std::vector<T> chosen_of(const std::vector<T>& all, const std::vector<std::string>& parts,
                         const std::string& kind) {
  const auto holds = [](const T& one, const std::string& part) {
    return one.name.find(part) != std::string::npos;
  };
  std::vector<std::string> names;
  for (const T& one : all) names.push_back("'" + one.name + "'");
  for (const std::string& part : parts)
    require(std::ranges::any_of(all, [&](const T& one) { return holds(one, part); }), "--only",
            "no ", kind, "'s name holds '", part, "'; there are: ", join(names, ", "));
  std::vector<T> found;
  for (const T& one : all)
    if (parts.empty() ||
        std::ranges::any_of(parts, [&](const auto& part) { return holds(one, part); }))
      found.push_back(one);
  return found;
}

}  // namespace espalier::apps
