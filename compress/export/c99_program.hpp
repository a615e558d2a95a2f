// What an exported C99 file says around its functions and numbers that differs between pictures and a
// table's columns, classes and a number. c99.cpp fills in the words in @s.
#pragma once

namespace espalier::exports {

constexpr const char* kC99ClassesApi =
    R"c( *   void @NAME@_run(@INPUT@, float *logits);   the @CLASSES@ logits
 *   int @NAME@_classify(@INPUT@);              the index of the largest
 *   extern const char *const @NAME@_labels[@CLASSES@];        @LISTED@
)c";
constexpr const char* kC99NumberApi =
    R"c( *   float @NAME@_predict(@INPUT@);               @WHAT@, in the unit of the training's table
 *   void @NAME@_run(@INPUT@, float *number);      the same
)c";

constexpr const char* kC99TakesPixels =
    R"c( * pixels: @SHAPE@, @COUNT@ bytes of 0..255, rows from the top, pixels from the left, channels
 * inside.
)c";
constexpr const char* kC99TakesColumns =
    R"c( * columns: @COUNT@ numbers as they stand in the table, in the units of its training, in this order;
 * what is missing is the caller's to fill in. They are scaled here, in double precision:
@COLUMNS@ *
)c";

constexpr const char* kC99DeclareNumber = R"c(
float @NAME@_predict(@INPUT@);
void @NAME@_run(@INPUT@, float *number);
)c";

constexpr const char* kC99DefineClasses = R"c(
const char *const @NAME@_labels[@NAME@_CLASSES] = {
@LABELS@};

void @NAME@_run(@INPUT@, float *logits) {
  @VALUE@ *const x = arena.values;
  int32_t i;
@CALLS@}

int @NAME@_classify(@INPUT@) {
  float logits[@NAME@_CLASSES];
  int best = 0, i;
  @NAME@_run(@GIVEN@, logits);
  for (i = 1; i < @NAME@_CLASSES; ++i)
    if (logits[i] > logits[best]) best = i;
  return best;
}
)c";

constexpr const char* kC99DefineNumber = R"c(
static void outputs(@INPUT@, float *logits) {
  @VALUE@ *const x = arena.values;
  int32_t i;
@CALLS@}

/* The output's number. volatile: the product is rounded to float32 before anything is added. */
float @NAME@_predict(@INPUT@) {
  float output;
  volatile float product;
  outputs(@GIVEN@, &output);
  product = @DEVIATION_OF@ * output;
  return @MEAN_OF@ + product;
}

void @NAME@_run(@INPUT@, float *number) { *number = @NAME@_predict(@GIVEN@); }
)c";

}  // namespace espalier::exports
