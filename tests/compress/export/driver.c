/* Runs an exported C99 model: images of pixels from a file, logits to another.
   Compiled with -DMODEL_FILE="digits.c" -DMODEL(x)=digits_##x -DPIXELS=784. */
#include MODEL_FILE

#include <stdio.h>

int main(int argc, char** argv) {
  static uint8_t pixels[PIXELS];
  static float logits[MODEL(CLASSES)];
  FILE* in = fopen(argc > 2 ? argv[1] : "pixels", "rb");
  FILE* out = fopen(argc > 2 ? argv[2] : "logits", "wb");
  if (!in || !out) return 2;
  while (fread(pixels, 1, PIXELS, in) == PIXELS) {
    int best = 0, i;
    MODEL(run)(pixels, logits);
    for (i = 1; i < MODEL(CLASSES); ++i)
      if (logits[i] > logits[best]) best = i;
    if (MODEL(classify)(pixels) != best || !MODEL(labels)[best]) return 3;
    if (fwrite(logits, sizeof(float), MODEL(CLASSES), out) != MODEL(CLASSES)) return 4;
  }
  return fclose(in) || fclose(out);
}
