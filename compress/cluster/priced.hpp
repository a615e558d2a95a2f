// Centroids that are chosen by what they cost in a file as well as by distance: entropy-constrained
// vector quantization (Chou, Lookabaugh & Gray 1989), here of single weights.
#pragma once

#include <span>
#include <vector>

namespace espalier::cluster {

// Which of ascending centroids minimises (v - centroid)^2 + price * bits[centroid].
class PricedChoice {
 public:
  // As many bits as centroids; price >= 0 in squared units of the values for a bit. At price 0:
  // nearest(). Of two equal costs the lower centroid.
  PricedChoice(std::span<const float> centroids, std::span<const double> bits, double price);
  std::size_t operator()(float value) const;

 private:
  std::vector<std::size_t> kept_;  // those that are cheapest somewhere, ascending
  std::vector<double> until_;      // up to which value each but the last is
};

// -log2 of the shares; a share of 0 counts as `least`.
std::vector<double> bits_of(std::span<const float> shares, double least);

// Lloyd's steps with priced choices: each centroid becomes the mean of the values that choose it,
// the shares those of the choices. Ascending. shares: as many as centroids, sum 1; changed with them.
void priced_lloyd(std::vector<float>& centroids, std::vector<float>& shares,
                  std::span<const float> values, double price, int rounds);

}  // namespace espalier::cluster
