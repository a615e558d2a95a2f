/* Runs an exported C99 model of a table: rows of float32 from a file, what it yields to another.
   Compiled with -DMODEL_FILE="net.c" -DMODEL(x)=net_##x -DCOLUMNS=4 -DOUTPUTS=3, and -DNUMBER for a
   model of a number. */
#include MODEL_FILE

#include <stdio.h>

int main(int argc, char** argv) {
  static float columns[COLUMNS], outputs[OUTPUTS];
  FILE* in = fopen(argc > 2 ? argv[1] : "rows", "rb");
  FILE* out = fopen(argc > 2 ? argv[2] : "outputs", "wb");
  if (!in || !out) return 2;
  while (fread(columns, sizeof(float), COLUMNS, in) == COLUMNS) {
    MODEL(run)(columns, outputs);
#ifdef NUMBER
    if (MODEL(predict)(columns) != outputs[0]) return 3;
#else
    int best = 0, i;
    for (i = 1; i < OUTPUTS; ++i)
      if (outputs[i] > outputs[best]) best = i;
    if (MODEL(classify)(columns) != best || !MODEL(labels)[best]) return 3;
#endif
    if (fwrite(outputs, sizeof(float), OUTPUTS, out) != OUTPUTS) return 4;
  }
  return fclose(in) || fclose(out);
}
