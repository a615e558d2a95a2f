// How many threads a kernel may use. With as many as there are cores, a parallel region stalls for
// tens of milliseconds whenever another process wants one of them: programs start with one, and say
// so.
#pragma once

namespace espalier {

// Call it before the first kernel. Errors: kUsage below 1 or above 1024.
void set_threads(int threads);

}  // namespace espalier
