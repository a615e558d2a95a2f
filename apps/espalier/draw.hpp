// Small grey pictures as text.
#pragma once

#include <string>

#include "core/tensor/tensor.hpp"

namespace espalier::apps {

// [H W C], 0..1: two rows of pixels a line, channels averaged. With `utf8` in half blocks, where a
// pixel counts as ink from 0.4; else in ASCII, where darker characters mean more ink. Each line
// begins with `margin`.
std::string draw(const Tensor& image, bool utf8, const std::string& margin = "  ");

}  // namespace espalier::apps
