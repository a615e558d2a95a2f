/* Read beside ../FORMAT.md, in its order. An error sticks in decoder.status: every decision after
 * it is 0, and whatever loops for long looks at it. int has 32 bits. */
#include "esp_decode.h"
#include <string.h>

enum {
  kMaxLayers = 1024,
  kMaxLabels = 65536,
  kMaxText = 256,
  kMaxSide = 1 << 20,
  kMaxWindow = 4096,
  kMaxPixels = 1 << 26,
  kMaxWeights = 1 << 26,
  kMaxSum = 1 << 24,
  kCareful = 65536,
  kEnd = 7
};

/* A model of the page: the probability of a 1, p / 2^32, and its weight. A number has one a step;
 * a signed one nonzero and negative before; a scale has a signed exponent, then mantissa bits. */
typedef struct {
  uint32_t p, w;
} odds;
#define EVEN 0x80000000u, 1
#define RARELY 0x10000000u, 2
#define MOSTLY 0xF0000000u, 2
enum { kNumber = 32, kSigned = 2 + kNumber, kScale = kSigned + 5 };

typedef struct { /* every model that lasts as long as the file */
  odds head, named, on_grid, grid, zero_point, kind, has_grid[7], relu[2], window, square;
  odds outputs_differ, bits_differ, per_output, not_one, has_bias;
  odds flags, nonzero[8], negative[3], step[3][2], beyond[kNumber]; /* careful levels */
  odds size[kNumber], outputs[kNumber], kernel[kNumber], stride[kNumber], padding[kNumber];
  odds text_bytes[kNumber], letter[256] /* a tree, from 1 */;
  odds grid_scale[kScale], weight_scale[kScale], shift[kSigned], bias[kSigned];
} file_odds;

typedef struct {
  const uint8_t *at, *end;
  uint32_t range, code, plain, byte, bits; /* plain: `bits` are left of `byte` */
  esp_status status;
  uint8_t *arena, *free, *full; /* what is free lies between the last two */
  size_t most;                  /* bytes of it that were wanted at a time */
  uint32_t weights_left, named, grid_exponent, weight_exponent, last_bits;
  uint64_t callers_left;
  esp_grid last_grid;
  esp_shape unflattened;
  esp_window last_window[4]; /* by kind */
  file_odds m;
} decoder;

static void fail(decoder* d, esp_status status) {
  d->status = d->status ? d->status : status;
}
static uint32_t least(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}
static uint32_t size_of(int level) {
  return (uint32_t)(level < 0 ? -level : level);
}

/* count * size bytes, or NULL. Whoever needs them only for a while sets `free` back. */
static void* room(decoder* d, uint64_t count, size_t size) {
  const uint64_t bytes = (count * size + 7) / 8 * 8, used = (uint64_t)(d->free - d->arena) + bytes;
  if (d->status != ESP_OK) return NULL;
  if (used > d->most) d->most = (size_t)used;
  if (bytes > (uint64_t)(d->full - d->free)) return fail(d, ESP_ARENA), NULL;
  d->free += bytes;
  return d->free - bytes;
}

/* ---- The two coders ---- */
static uint32_t next_byte(decoder* d) {
  if (d->at == d->end && d->plain) fail(d, ESP_CUT);
  return d->at < d->end ? *d->at++ : 0;
}
static uint32_t plain_bit(decoder* d) {
  const uint32_t byte = d->bits > 0 ? d->byte : next_byte(d);
  d->bits = (d->bits > 0 ? d->bits : 8) - 1;
  d->byte = byte >> 1;
  return byte & 1;
}
static void narrow(decoder* d, uint32_t first, uint32_t count) {
  d->code -= first;
  for (d->range = count; d->range < 1u << 24; d->range <<= 8) d->code = d->code << 8 | next_byte(d);
}
static uint32_t bit(decoder* d, odds* m) {
  const uint32_t p = m->p >> 16 < 32 ? 32 : m->p >> 16 > 65504 ? 65504 : m->p >> 16;
  const uint32_t zero = (d->range >> 16) * (65536 - p), value = d->code >= zero;
  if (d->status != ESP_OK) return 0;
  if (d->plain) return plain_bit(d);
  narrow(d, value ? zero : 0, value ? d->range - zero : zero);
  if (value)
    m->p += (uint32_t)((uint64_t)~m->p * (65536 / (m->w + 1)) >> 16);
  else
    m->p -= (uint32_t)((uint64_t)m->p * (65536 / (m->w + 1)) >> 16);
  if (m->w < 319) m->w++;
  return value;
}
/* Which of 2^bits equal parts it is. The caller narrows: each part is d->range long now. */
static uint32_t part(decoder* d, unsigned bits) {
  const uint32_t value = d->code / (d->range >>= bits);
  if (value >> bits) fail(d, ESP_INVALID);
  return d->status == ESP_OK ? value : 0;
}
static uint32_t raw(decoder* d, unsigned bits) {
  uint32_t value = 0, piece;
  for (; bits > 0 && d->plain; bits--) value = value << 1 | plain_bit(d);
  for (; bits > 0; bits -= least(bits, 12)) {
    value = value << least(bits, 12) | (piece = part(d, least(bits, 12)));
    narrow(d, piece * d->range, d->range);
  }
  return d->status == ESP_OK ? value : 0;
}

/* ---- Values ---- */
static void start(odds* m, size_t count, uint32_t p, uint32_t w) {
  while (count-- > 0) m[count].p = p, m[count].w = w;
}
static void cut(odds* m, size_t count) {
  while (count-- > 0) m[count].w = least(m[count].w, 4);
}
static uint64_t number(decoder* d, odds* m) { /* below 2^33 */
  unsigned steps = 0;
  while (steps < 32 && bit(d, &m[steps])) steps++;
  return (uint64_t)1 << steps | raw(d, steps);
}
static uint32_t number_to(decoder* d, odds* m, uint32_t most) { /* 1 after an error */
  const uint64_t value = number(d, m);
  if (value > most) fail(d, ESP_LIMIT);
  return d->status == ESP_OK ? (uint32_t)value : 1;
}
static int64_t signed_number(decoder* d, odds* m) {
  const uint32_t nonzero = bit(d, &m[0]), negative = nonzero ? bit(d, &m[1]) : 0;
  return nonzero ? (int64_t)number(d, m + 2) * (negative ? -1 : 1) : 0;
}
static uint32_t byte(decoder* d, odds tree[256]) {
  uint32_t node = 1;
  while (node < 256) node = 2 * node + bit(d, &tree[node]);
  return node - 256;
}
static esp_text text(decoder* d) {
  esp_text result = {NULL, number_to(d, d->m.text_bytes, kMaxText + 1) - 1};
  char *at = room(d, result.count + 1, 1), *end = at != NULL ? at + result.count : NULL;
  result.bytes = at;
  for (; at != end; at++) *at = (char)byte(d, d->m.letter);
  if (at != NULL) *at = 0;
  return result;
}
static float float_of(decoder* d, uint32_t pattern) {
  float value;
  if ((pattern >> 23 & 255) == 255) fail(d, ESP_INVALID);
  memcpy(&value, &pattern, 4);
  return value;
}
static float scale(decoder* d, odds* m, uint32_t* exponent) {
  uint32_t mantissa = 0;
  unsigned count = 0;
  *exponent = (*exponent + (uint32_t)signed_number(d, m)) & 255;
  while (count < 5 && bit(d, &m[kSigned + count])) count++;
  if (count == 5)
    mantissa = raw(d, 23);
  else if (count > 0)
    mantissa = (2 * raw(d, count - 1) + 1) << (23 - count);
  if (*exponent == 0 && mantissa == 0) fail(d, ESP_INVALID);
  return float_of(d, *exponent << 23 | mantissa);
}
static esp_grid grid(decoder* d) {
  if (!bit(d, &d->m.grid)) return d->last_grid;
  d->last_grid.scale = scale(d, d->m.grid_scale, &d->grid_exponent);
  d->last_grid.zero_point = (uint8_t)(bit(d, &d->m.zero_point) ? raw(d, 7) : 0);
  return d->last_grid;
}
static const float* floats(decoder* d, uint32_t rows, uint32_t columns) {
  float *values = room(d, (uint64_t)rows * columns, 4), *at = values;
  uint8_t *const kept = d->free, *is = room(d, columns, 1); /* the last one of a column is not 0 */
  odds nonzero[4], *exponent = room(d, 256, sizeof *exponent);
  uint32_t i, j, pattern;
  if (exponent == NULL) return NULL;
  memset(is, 0, columns);
  start(nonzero, 4, EVEN), start(exponent, 256, EVEN);
  for (i = 0; i < rows; i++)
    for (j = 0; j < columns && d->status == ESP_OK; j++) {
      pattern = bit(d, &nonzero[(j > 0 && is[j - 1]) + 2 * is[j]]);
      if (pattern) {
        pattern = byte(d, exponent) << 23;
        pattern |= raw(d, 1) << 31, pattern |= raw(d, 23);
      }
      is[j] = pattern << 1 != 0;
      *at++ = float_of(d, pattern);
    }
  d->free = kept;
  return values;
}

/* ---- Levels: [outputs][height][width][inputs], all 0 before ---- */
static int level(decoder* d, int left, int before, int up, int after, uint32_t largest) {
  const uint32_t sum = least(size_of(left), 2) + least(size_of(up), 2);
  const int slope = 2 * (left + up) + before + after, around[4] = {left, before, up, after};
  uint32_t negative, i, near = 0, m = 1;
  if (!bit(d, &d->m.nonzero[least(sum, 3) + (before != 0 || after != 0 ? 4 : 0)])) return 0;
  negative = bit(d, &d->m.negative[slope == 0 ? 0 : slope < 0 ? 1 : 2]);
  for (i = 0; i < 4; i++) near = size_of(around[i]) > near ? size_of(around[i]) : near;
  while (m < least(largest, 7) && bit(d, &d->m.step[least(m, 3) - 1][near > m])) m++;
  if (m == 7 && largest > 7) m = 6 + number_to(d, d->m.beyond, largest - 6);
  return negative ? -(int)m : (int)m;
}
static void careful(decoder* d, int8_t* levels, uint32_t outputs, esp_shape k, uint32_t largest) {
  const size_t row = (size_t)k.w * k.c;
  uint32_t o, i, y, x, flags, empty;
  odds is_empty[2];
  start(is_empty, 2, EVEN);
  cut(d->m.nonzero, 8), cut(d->m.negative, 3), cut(d->m.step[0], 6), cut(d->m.beyond, kNumber);
  flags = k.h * k.w > 1 && bit(d, &d->m.flags);
  for (o = 0; o < outputs; o++, levels += k.h * row)
    for (i = 0, empty = 0; i < k.c && d->status == ESP_OK; i++) {
      if (flags && (empty = bit(d, &is_empty[empty])) != 0) continue;
      for (y = 0; y < k.h && d->status == ESP_OK; y++)
        for (x = 0; x < k.w; x++) {
          int8_t* at = levels + y * row + (size_t)x * k.c + i;
          const int left = x ? *(at - k.c) : 0, after = y && x + 1 < k.w ? *(at - row + k.c) : 0;
          const int up = y ? *(at - row) : 0, before = x && y ? *(at - row - k.c) : 0;
          *at = (int8_t)level(d, left, before, up, after, largest);
        }
    }
}
static void fast(decoder* d, int8_t* levels, uint32_t rows, uint32_t columns, uint32_t largest) {
  uint8_t *const kept = d->free, *lives = room(d, (uint64_t)rows + 2 * (uint64_t)columns, 1);
  uint8_t* above; /* what the two rows above add to the context */
  odds lives_odds[2], dense_odds, nonzero[16], share[kNumber];
  uint32_t i, j, k, was = 1, any = 0, dense, left, first[256] = {0};
  if (lives == NULL) return;
  above = memset(lives + rows + columns, 0, columns);
  start(&dense_odds, 1, EVEN), start(nonzero, 16, EVEN), start(share, kNumber, EVEN);
  for (i = 0; i < rows + columns; i++) {
    if (i == 0 || i == rows) start(lives_odds, 2, EVEN), was = 1;
    lives[i] = (uint8_t)(was = bit(d, &lives_odds[was]));
    any |= i >= rows ? was : 0;
  }
  dense = any && bit(d, &dense_odds);
  for (k = 0; any && k <= 2 * largest; k++) {
    left = (1 << 14) - first[k];
    first[k + 1] = first[k] + (k != largest || dense ? number_to(d, share, left + 1) - 1 : 0);
  }
  if (any && first[k] != 1 << 14) fail(d, ESP_INVALID);
  for (i = 0; any && i < rows && d->status == ESP_OK; i++, levels += columns)
    for (j = 0, left = 0; lives[i] && j < columns && d->status == ESP_OK; j++) {
      if (!lives[rows + j]) continue;
      if (dense || bit(d, &nonzero[left + above[j]])) {
        const uint32_t place = part(d, 14);
        for (k = 0; first[k + 1] <= place; k++) continue;
        narrow(d, first[k] * d->range, (first[k + 1] - first[k]) * d->range);
        levels[j] = (int8_t)((int)k - (int)largest);
      }
      left = left >> 1 | (levels[j] != 0 ? 2 : 0);
      above[j] = (uint8_t)((above[j] >> 1 & 4) | (levels[j] != 0 ? 8 : 0));
    }
  d->free = kept;
}

/* ---- Head and layers ---- */
static void head(decoder* d, esp_model* model) {
  const esp_window conv = {{5, 5}, {1, 1}, {0, 0, 0, 0}}, pool = {{2, 2}, {2, 2}, {0, 0, 0, 0}};
  const esp_shape usual = {28, 28, 1};
  file_odds* m = &d->m;
  uint32_t* const side[] = {&model->input.h, &model->input.w, &model->input.c};
  uint32_t mean = 0, deviation = 0x3F800000, other, i; /* 0, 1 */
  esp_text* labels;
  start((odds*)(void*)m, sizeof *m / sizeof(odds), EVEN);
  start(&m->head, 1, RARELY), start(&m->zero_point, 1, RARELY), start(&m->kind, 1, RARELY);
  start(&m->window, 1, RARELY), start(&m->outputs_differ, 1, RARELY), start(m->has_grid, 7, RARELY);
  start(&m->bits_differ, 1, RARELY), start(&m->shift[0], 1, RARELY), start(&m->on_grid, 1, MOSTLY);
  start(&m->square, 1, MOSTLY), start(&m->has_bias, 1, MOSTLY), start(&m->relu[1], 1, MOSTLY);
  start(m->outputs, 3, MOSTLY), start(m->nonzero, 8, 9830u << 16, 2);
  d->grid_exponent = d->weight_exponent = 120;
  d->last_grid.scale = float_of(d, 0x3C010204), d->last_grid.present = 1; /* 1/127 */
  d->last_window[ESP_CONV2D] = conv;
  d->last_window[ESP_MAX_POOL] = d->last_window[ESP_AVERAGE_POOL] = pool;
  model->input = usual, other = bit(d, &m->head);
  for (i = 0; i < 3 && other; i++) *side[i] = number_to(d, m->size, kMaxSide);
  if (bit(d, &m->head)) mean = raw(d, 32), deviation = raw(d, 32);
  if (deviation == 0 || deviation >> 31) fail(d, ESP_INVALID);
  model->mean = float_of(d, mean), model->deviation = float_of(d, deviation);
  if (bit(d, &m->head)) model->label_count = number_to(d, m->size, kMaxLabels);
  model->labels = labels = room(d, model->label_count, sizeof *labels);
  for (i = 0; i < model->label_count && d->status == ESP_OK; i++) labels[i] = text(d);
  d->named = bit(d, &m->named);
  if (!bit(d, &m->on_grid)) return;
  model->grid = grid(d);
  start(&m->has_grid[ESP_CONV2D], 1, MOSTLY), start(&m->has_grid[ESP_BATCH_NORM], 1, MOSTLY);
  start(&m->has_grid[ESP_DENSE], 1, EVEN), start(&m->relu[0], 1, RARELY);
}
static uint32_t expected_kind(const esp_layer* before, esp_shape s) {
  static const uint8_t next[] = {ESP_MAX_POOL, kEnd, ESP_FLATTEN, ESP_FLATTEN, 0, 0, ESP_DENSE};
  const uint32_t usual = before != NULL ? next[before->kind] : ESP_CONV2D;
  if (usual == kEnd && before->grid.present) return ESP_DENSE;
  if (usual == ESP_FLATTEN && s.h >= 8) return ESP_CONV2D;
  if (usual == ESP_CONV2D && s.h == 1 && s.w == 1) return before != NULL ? kEnd : ESP_DENSE;
  return usual;
}
static void window(decoder* d, esp_layer* layer) {
  esp_window* w = &d->last_window[layer->kind];
  const uint32_t other = bit(d, &d->m.window), all = other && !bit(d, &d->m.square);
  uint32_t i, high = layer->input.h, wide = layer->input.w;
  if (other) w->kernel[0] = w->kernel[1] = number_to(d, d->m.kernel, kMaxWindow);
  if (all) w->kernel[1] = number_to(d, d->m.kernel, kMaxWindow);
  for (i = 0; i < 2 && all; i++) w->stride[i] = number_to(d, d->m.stride, kMaxWindow);
  for (i = 0; i < 4 && all; i++) w->padding[i] = number_to(d, d->m.padding, kMaxWindow + 1) - 1;
  layer->window = *w;
  high += w->padding[0] + w->padding[2], wide += w->padding[1] + w->padding[3];
  if (high < w->kernel[0] || wide < w->kernel[1]) fail(d, ESP_INVALID);
  layer->output.h = (high - w->kernel[0]) / w->stride[0] + 1;
  layer->output.w = (wide - w->kernel[1]) / w->stride[1] + 1;
}
static int may_hold(decoder* d, uint64_t count) { /* asked before there is room for them */
  if (count > d->weights_left) fail(d, ESP_LIMIT);
  if (count > d->callers_left) fail(d, ESP_TOO_MANY_WEIGHTS);
  d->weights_left -= (uint32_t)count, d->callers_left -= count;
  return d->status == ESP_OK;
}
/* Levels, scales and biases, and the promise that every sum is exact. */
static void integers(decoder* d, esp_layer* layer, esp_shape kernel) {
  const uint32_t outputs = layer->output.c, inputs = layer->weight_count / outputs;
  const uint32_t largest = (1u << (layer->bits - 1)) - 1;
  int8_t* levels = room(d, layer->weight_count, 1);
  int32_t* bias = NULL;
  int64_t shift = 0;
  uint32_t i, o, each;
  float* scales;
  if (levels == NULL) return;
  layer->levels = memset(levels, 0, layer->weight_count);
  if (d->plain || layer->weight_count <= kCareful)
    careful(d, levels, outputs, kernel, largest);
  else
    fast(d, levels, outputs, inputs, largest);
  each = bit(d, &d->m.per_output);
  layer->scale_count = each ? outputs : 1;
  layer->scales = scales = room(d, layer->scale_count, sizeof *scales);
  if (scales == NULL) return;
  scales[0] = float_of(d, 0x3F800000); /* 1 */
  if (each || layer->grid.present || bit(d, &d->m.not_one))
    for (i = 0; i < layer->scale_count; i++)
      scales[i] = scale(d, d->m.weight_scale, &d->weight_exponent);
  layer->has_bias = (uint8_t)bit(d, &d->m.has_bias);
  if (layer->has_bias) shift = signed_number(d, d->m.shift);
  if (layer->has_bias) layer->bias_levels = bias = room(d, outputs, sizeof *bias);
  if (shift < 0 || shift > 31) fail(d, ESP_LIMIT);
  layer->bias_shift = (uint8_t)(shift & 31);
  cut(d->m.bias, kSigned);
  for (o = 0; o < outputs && d->status == ESP_OK; o++, levels += inputs) {
    const int64_t level = bias != NULL ? signed_number(d, d->m.bias) : 0;
    const uint64_t size = (uint64_t)(level < 0 ? -level : level);
    uint64_t sum = (size < kMaxSum ? size : kMaxSum) << layer->bias_shift;
    for (i = 0; i < inputs; i++) sum += 127 * size_of(levels[i]);
    if (sum >= kMaxSum)
      fail(d, ESP_LIMIT);
    else if (bias != NULL)
      bias[o] = (int32_t)level;
  }
}
/* OUT, weights and biases of conv2d and dense. */
static void weights(decoder* d, esp_layer* layer, esp_shape kernel, uint32_t labels) {
  const uint64_t inputs = (uint64_t)kernel.h * kernel.w * kernel.c; /* at most 2^50 */
  uint32_t outputs = labels > 0 ? labels : 10;
  if (layer->kind == ESP_CONV2D || layer->grid.present || bit(d, &d->m.outputs_differ))
    outputs = number_to(d, d->m.outputs, kMaxSide);
  if (d->last_bits == 0 /* the first */ || bit(d, &d->m.bits_differ)) d->last_bits = raw(d, 3) + 2;
  if (!may_hold(d, inputs > kMaxWeights ? inputs : inputs * outputs)) return;
  layer->output.c = outputs;
  layer->weight_count = (uint32_t)inputs * outputs;
  layer->bits = (uint8_t)(d->last_bits < 9 ? d->last_bits : 0);
  if (layer->bits > 0) {
    integers(d, layer, kernel);
    return;
  }
  layer->weights = floats(d, outputs, (uint32_t)inputs);
  layer->has_bias = (uint8_t)bit(d, &d->m.has_bias);
  if (layer->has_bias) layer->bias = floats(d, 1, outputs);
}
static void fields(decoder* d, esp_layer* layer, const esp_layer* before, uint32_t labels) {
  const esp_kind kind = layer->kind;
  const int linear = kind == ESP_CONV2D || kind == ESP_DENSE;
  const esp_shape in = layer->output = layer->input;
  esp_shape kernel = in;
  if (d->named) layer->name = text(d);
  if (bit(d, &d->m.has_grid[kind])) layer->grid = grid(d);
  if (linear || kind == ESP_BATCH_NORM)
    layer->relu = (uint8_t)bit(d, &d->m.relu[layer->grid.present]);
  else if (layer->grid.present)
    fail(d, ESP_INVALID);
  if (kind == ESP_CONV2D || kind == ESP_MAX_POOL || kind == ESP_AVERAGE_POOL) window(d, layer);
  if (before == NULL || before->kind != ESP_FLATTEN) d->unflattened = in;
  if (kind == ESP_DENSE && (in.h != 1 || in.w != 1)) fail(d, ESP_INVALID);
  if (kind == ESP_FLATTEN) layer->output.c *= in.h * in.w, layer->output.h = layer->output.w = 1;
  kernel.h = layer->window.kernel[0], kernel.w = layer->window.kernel[1];
  if (linear) weights(d, layer, kind == ESP_DENSE ? d->unflattened : kernel, labels);
  if (kind == ESP_BATCH_NORM && may_hold(d, in.c))
    layer->weights = floats(d, 1, in.c), layer->bias = floats(d, 1, in.c);
}
static void layers(decoder* d, esp_model* model) {
  esp_shape shape = model->input;
  const esp_layer** link = &model->layers;
  esp_layer *before = NULL, *layer;
  for (;; before = layer, model->layer_count++) {
    const uint64_t plane = (uint64_t)shape.h * shape.w;
    uint32_t kind = expected_kind(before, shape);
    if (shape.h > kMaxSide || shape.w > kMaxSide || plane > kMaxPixels) fail(d, ESP_LIMIT);
    if (plane * shape.c > kMaxPixels) fail(d, ESP_LIMIT);
    if (bit(d, &d->m.kind)) kind = raw(d, 3);
    if (kind == kEnd && before == NULL) fail(d, ESP_INVALID);
    if (kind != kEnd && model->layer_count == kMaxLayers) fail(d, ESP_LIMIT);
    if (kind == kEnd || (layer = room(d, 1, sizeof *layer)) == NULL) return;
    *link = memset(layer, 0, sizeof *layer), link = &layer->next;
    layer->kind = (esp_kind)kind, layer->input = shape;
    fields(d, layer, before, model->label_count);
    shape = layer->output;
  }
}

/* ---- The file ---- */
static uint32_t checksum(const uint8_t* bytes, size_t count, int wide) {
  uint32_t sum = wide ? 0xFFFFFFFF : 0xFFFF, k;
  for (; count > 0; count--, bytes++)
    for (sum ^= wide ? *bytes : (uint32_t)*bytes << 8, k = 0; k < 8; k++)
      if (wide)
        sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320 : 0);
      else
        sum = (sum << 1 ^ (sum & 0x8000 ? 0x1021 : 0)) & 0xFFFF;
  return wide ? ~sum : sum;
}
esp_status esp_decode(const uint8_t* file, size_t count, void* arena, size_t arena_bytes,
                      uint64_t most_weights, esp_model* model) {
  const size_t own = (sizeof(decoder) + 7) / 8 * 8, align = (8 - (uintptr_t)arena % 8) % 8;
  const uint32_t sum_bytes = count < 4096 ? 2 : 4;
  const uint32_t most = count < 4096 ? 16384 * (uint32_t)count : kMaxWeights;
  uint32_t sum = 0, i;
  decoder* d;
  memset(model, 0, sizeof *model);
  if (count < 4 || file[0] >> 4 != 0xE) return ESP_NOT_ESP;
  if ((file[0] >> 1 & 7) != 1) return ESP_OTHER_VERSION;
  if (count > (size_t)1 << 28) return ESP_LIMIT;
  count -= sum_bytes;
  for (i = 0; i < sum_bytes; i++) sum |= (uint32_t)file[count + i] << (8 * i);
  if (checksum(file, count, sum_bytes == 4) != sum) return ESP_CHECKSUM;
  if (arena_bytes < (model->arena_bytes = own + 7)) return ESP_ARENA;
  d = memset((uint8_t*)arena + align + (arena_bytes - align) / 8 * 8 - own, 0, own);
  d->arena = d->free = (uint8_t*)arena + align, d->full = (uint8_t*)d;
  d->weights_left = most < 1 << 19 ? 1 << 19 : most, d->callers_left = most_weights;
  d->plain = !(file[0] & 1), d->at = file + 1, d->end = file + count, d->range = UINT32_MAX;
  for (i = 0; !d->plain && i < 4; i++) d->code = d->code << 8 | next_byte(d);
  if (d->code == d->range) fail(d, ESP_INVALID);
  head(d, model), layers(d, model);
  if (d->at != d->end || d->byte != 0 || (!d->plain && count > 1 && file[count - 1] == 0))
    fail(d, ESP_LEFT_OVER);
  model->arena_bytes = d->most + own + 7;
  return d->status;
}
