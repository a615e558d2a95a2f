/* A second decoder of the .esp file, version 1, in C99: for a microcontroller that keeps a model of
 * 800 bytes in flash and expands it into RAM, and as the proof that ../FORMAT.md tells everything.
 * No allocation, no recursion, no floating-point arithmetic, of libc only memcpy and memset: all
 * that it needs, its own state included, lies in the arena that the caller gives.
 *
 * The one check of the page that it leaves out is "one model, one file": it does not write the
 * model again, and so accepts some files that no writer writes (a flag for a default value). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  ESP_OK = 0,
  ESP_NOT_ESP,          /* too short, or the first byte is not that of an .esp file */
  ESP_OTHER_VERSION,    /* an .esp file of another version than 1 (2: palettes) */
  ESP_CHECKSUM,         /* some bytes have changed */
  ESP_CUT,              /* a plain stream ends before the model does */
  ESP_LEFT_OVER,        /* bytes or bits follow the end of the model */
  ESP_INVALID,          /* a value that the format does not have, or shapes that do not fit */
  ESP_LIMIT,            /* over a limit of the format (FORMAT.md, Limits) */
  ESP_TOO_MANY_WEIGHTS, /* over the caller's own limit */
  ESP_ARENA             /* the arena is too small: esp_model.arena_bytes were wanted so far */
} esp_status;

typedef enum { /* as the file numbers them */
               ESP_CONV2D,
               ESP_DENSE,
               ESP_MAX_POOL,
               ESP_AVERAGE_POOL,
               ESP_BATCH_NORM,
               ESP_RELU,
               ESP_FLATTEN
} esp_kind;
typedef struct {
  uint32_t h, w, c;
} esp_shape;
/* Levels 0..127: a level stands for (level - zero_point) * scale. */
typedef struct {
  float scale;
  uint8_t present, zero_point;
} esp_grid;
/* Kernel and stride: h w. Padding: top left bottom right. */
typedef struct {
  uint32_t kernel[2], stride[2], padding[4];
} esp_window;
/* `bytes` end with a 0; NULL where the file has no names. */
typedef struct {
  const char* bytes;
  uint32_t count;
} esp_text;
typedef struct esp_layer {
  const struct esp_layer* next; /* NULL after the last */
  esp_kind kind;
  esp_text name;
  esp_shape input, output;
  esp_window window; /* conv2d and pools */
  esp_grid grid;     /* of the output; pools, relu, flatten keep their input's */
  uint8_t relu;      /* conv2d, dense, batch norm: before the output grid */
  uint8_t bits;      /* conv2d, dense: of the levels, 2..8; 0: weights are floats */
  uint8_t has_bias, bias_shift;
  uint32_t scale_count;        /* 1: one for all outputs; otherwise output.c */
  uint32_t weight_count;       /* weights are [OUT KERNEL_H KERNEL_W IN] or [OUT IN] */
  const int8_t* levels;        /* bits > 0: a weight is level * scale of its output */
  const float* scales;         /* bits > 0 */
  const int32_t* bias_levels;  /* bits > 0: * 2^bias_shift * input scale * weight scale */
  const float *weights, *bias; /* bits == 0; batch norm: multipliers, offsets, one a channel */
} esp_layer;
typedef struct {
  esp_shape input;
  float mean, deviation; /* x = (pixel / 255 - mean) / deviation */
  esp_grid grid;         /* of the input; not present: the model computes in floats */
  uint32_t label_count, layer_count;
  const esp_text* labels;
  const esp_layer* layers; /* the first */
  size_t arena_bytes;      /* that suffice, or were wanted so far (ESP_ARENA) */
} esp_model;

/* Decodes the `count` bytes of a file into `model`, whose pointers lead into `arena` (any address).
 * The file may be forgotten afterwards. More than `most_weights` weights (a channel of batch norm
 * is one) are refused before they are expanded; the format allows max(2^19, 16384 count) of them.
 * That bounds time and arena, whatever the bytes are. After an error only model->arena_bytes means
 * anything; with ESP_ARENA, try again with so many or more: it grows until the model fits. */
esp_status esp_decode(const uint8_t* file, size_t count, void* arena, size_t arena_bytes,
                      uint64_t most_weights, esp_model* model);

#ifdef __cplusplus
}
#endif
