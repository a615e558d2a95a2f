// What this processor does at most through our kernels, bf16 and int8 with the conversion of their
// inputs: the roof over every other figure (Williams, Waterman, Patterson
// 2009, "Roofline"). Matrix products of 256 x 256 x 256 in each precision, and one thread's reading
// of memory that lies in the first, second and third level of the cache, and beyond.
#pragma once

#include <vector>

#include "apps/bench/jobs.hpp"

namespace espalier::bench {

std::vector<Job> peak_jobs(int threads);

}  // namespace espalier::bench
