// Names of classes are as long and as many as an .esp file can hold of them.
#pragma once

#include <cstddef>

namespace espalier::datasets {

inline constexpr std::size_t kMaxLabelBytes = 256;
inline constexpr std::size_t kMaxClasses = 65536;

}  // namespace espalier::datasets
