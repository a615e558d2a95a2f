// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace espalier::datasets {

// 64 hexadecimal digits in lower case.
std::string sha256(std::span<const std::uint8_t> bytes);

}  // namespace espalier::datasets
