// Step 5 of the tutorial: every file in a fresh process, by a runtime without training code.
#include <iostream>

#include "apps/tutorial/fresh_process.hpp"
#include "apps/tutorial/lesson.hpp"
#include "core/base/text.hpp"

using namespace espalier;

int main(int argc, char** argv) {
  return apps::teach(
      argc, argv, "Step 5 of 5: runs every .esp file of the folder in a fresh process.",
      [](apps::Lesson& lesson) {
        bool any = false;
        for (const char* name : {"baseline", "pruned", "post_training", "quantized"}) {
          const auto file = lesson.path(std::string(name) + ".esp");
          if (!std::filesystem::exists(file)) continue;
          any = true;
          const auto found = apps::evaluate_in_fresh_process(file, lesson.options().data,
                                                             lesson.data_name() == "MNIST");
          std::cout << pad_right(name, 14) << pad_left(percent(found.accuracy), 9)
                    << pad_left(
                           with_commas(static_cast<std::int64_t>(std::filesystem::file_size(file))),
                           12)
                    << " bytes  " << found.differing_logits << " logits differ\n";
          require(found.differing_logits == 0, ErrorKind::kInternal, file.string(),
                  found.differing_logits, " logits differ between the executors, 0 should");
        }
        require(any, ErrorKind::kIo, lesson.options().out.string(),
                "holds no .esp file yet; run steps 1 to 4 first, or name their folder with --out");
      });
}
