// The head and the end of an exported C99 file, around its functions and numbers: of pictures or of
// a table's columns, of classes or of a number. c99.cpp fills in the words in @s.
#pragma once

namespace espalier::exports {

constexpr const char* kC99Head =
    R"c(/* @NAME@: a neural network in one C99 file, written by espalier export c99.
 *
@API@ *
@TAKES@ * No malloc, no library. RAM: @NAME@_ARENA_BYTES, and some hundred bytes of stack@STACK@.
 * Flash for the numbers below: about @FLASH@ bytes. Not reentrant: there is one arena. Layers:
 *
@SUMMARY@ *
@PROMISE@ */
@INCLUDES@
#ifdef __FAST_MATH__
#error "@NAME@ needs float32 as IEEE 754 has it: compile this file without -ffast-math"
#endif

#define @NAME@_ARENA_BYTES @ARENA@
@DECLARE@
static struct {
@SUMS@  @VALUE@ values[@ELEMENTS@]; /* a layer reads at one end and writes at the other */
} arena;
typedef char arena_bytes_are_true[sizeof arena == @NAME@_ARENA_BYTES ? 1 : -1];
)c";

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

constexpr const char* kC99DeclareClasses = R"c(#define @NAME@_CLASSES @CLASSES@

void @NAME@_run(@INPUT@, float *logits);
int @NAME@_classify(@INPUT@);
extern const char *const @NAME@_labels[@NAME@_CLASSES];
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
