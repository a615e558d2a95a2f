// The functions of an exported C99 file: one a kind of layer, emitted where a layer needs it, for
// levels (formulas: compress/INTEGERS.md) and for floats. What differs between the two is a word
// in @s, which c99.cpp fills in.
#pragma once

namespace espalier::exports {

// A linear layer's numbers, and its weights one after the other.
constexpr const char* kC99Linear = R"c(
/* A convolution or a dense layer (an image of 1 x 1). Weights that are 0 are never multiplied. */
typedef struct {
  int32_t in_h, in_w, in_c;     /* of the input [H W C] */
  int32_t out_h, out_w, out_c;  /* of the output */
  int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  int32_t pool_h, pool_w;       /* of the max pool behind it, 1 for none */
@DEPTHWISE@  int32_t weights;              /* how many, zeros included */
@FIELDS@} linear;

/* Walks through a layer's weights that are not 0. */
typedef struct {
  int32_t at;       /* of this weight among all [O KH KW I], or [OUT IN] */
  @SUM@ weight;
  uint32_t behind;  /* in linear.@STORE@: how far it was read */
} cursor;
)c";

constexpr const char* kC99LevelFields =
    R"c(  int32_t in_zero, out_zero;    /* the levels that stand for 0 */
  int32_t lowest;               /* of the levels; out_zero after a relu */
  const int8_t *levels;         /* all of the weights, or else: */
  const uint8_t *bits;          /* those that are not 0, packed; see next() */
  int32_t gap_bits, size_bits;
  const bias_level *bias;
  int32_t bias_shift;
  const float *multiplier;      /* from sums to levels, or to logits */
  int32_t multiplier_step;      /* 1: one for each channel; 0: one for all */
)c";

constexpr const char* kC99FloatFields =
    R"c(  int32_t relu;
  const uint8_t *map;           /* a bit for each weight: is it in values? NULL: all are */
  const float *values, *bias;
)c";

constexpr const char* kC99NextFloat = R"c(
static void next(const linear *l, cursor *c) {
  while (++c->at < l->weights) {
    if (l->map && !(l->map[c->at >> 3] >> (c->at & 7) & 1)) continue;
    c->weight = l->values[c->behind++];
    if (c->weight != 0) return;
  }
}
)c";

constexpr const char* kC99NextLevel = R"c(
static void next_level(const linear *l, cursor *c) {
  while (++c->at < l->weights)
    if ((c->weight = l->levels[c->at]) != 0) return;
}
)c";

constexpr const char* kC99NextBits = R"c(
static uint32_t next_bit(const linear *l, cursor *c) {
  const uint32_t bit = c->behind++;
  return (uint32_t)l->bits[bit >> 3] >> (bit & 7) & 1;
}

/* A Rice code: so many times 2^bits as there are 1s before a 0, and `bits` more bits. */
static int32_t rice(const linear *l, cursor *c, int32_t bits) {
  int32_t n = 0, i;
  while (next_bit(l, c)) ++n;
  n <<= bits;
  for (i = 0; i < bits; ++i) n |= (int32_t)(next_bit(l, c) << i);
  return n;
}

/* How many zeros come first; negative; how much more than 1. */
static void next_packed(const linear *l, cursor *c) {
  c->at += 1 + rice(l, c, l->gap_bits);
  if (c->at < l->weights) {
    const uint32_t negative = next_bit(l, c);
    const int32_t size = 1 + rice(l, c, l->size_bits);
    c->weight = negative ? -size : size;
  }
}
)c";

constexpr const char* kC99NextBoth = R"c(
static void next(const linear *l, cursor *c) {
  if (l->levels) next_level(l, c); else next_packed(l, c);
}
)c";

constexpr const char* kC99First = R"c(
static cursor first(const linear *l) {
  cursor c = {-1, 0, 0};
  next(l, &c);
  return c;
}
)c";

constexpr const char* kC99NearestLevel = R"c(
/* x rounded to an integer, halves to even, plus zero; kept within lowest..127. The sum's last bit
   is worth 1. volatile: it is rounded to float32, whatever the compiler may do with floats. */
static uint8_t nearest_level(float x, int32_t zero, int32_t lowest) {
  const float low = (float)(lowest - zero), high = (float)(127 - zero);
  volatile float shifted;
  if (x < low) x = low;
  if (x > high) x = high;
  shifted = x + 12582912.0f; /* 1.5 * 2^23 */
  return (uint8_t)((int32_t)(shifted - 12582912.0f) + zero);
}
)c";

// Nothing can be fused here: a division by 8 is exact, and nothing else is a product.
constexpr const char* kC99Seen = R"c(
typedef char a_double_has_64_bits[sizeof(double) == 8 ? 1 : -1];

/* What the network sees of a column's value: 0.5 + (value - mean) / (8 deviation), within 0..1. */
static float seen(float value, const float *scaling) {
  const double mean = scaling[0], deviation = scaling[1];
  volatile double x = 0;
  if (deviation > 0) x = ((double)value - mean) / deviation;
  x = 0.5 + x / 8;
  return !(x > 0) ? 0.0f : x > 1 ? 1.0f : (float)x;
}
)c";

constexpr const char* kC99Requantize = R"c(
/* volatile: the product is rounded to float32 before anything is added; no fused multiply-add. */
static float scaled(const linear *l, int32_t channel, int32_t sum) {
  volatile float product;
  if (l->bias) sum += l->bias[channel] * ((int32_t)1 << l->bias_shift);
  product = (float)sum * l->multiplier[channel * l->multiplier_step];
  return product;
}
)c";

constexpr const char* kC99Activate = R"c(
static float scaled(const linear *l, int32_t channel, float sum) {
  if (l->bias) sum += l->bias[channel];
  return l->relu && sum < 0 ? 0 : sum;
}
)c";

constexpr const char* kC99Conv = R"c(
/* y[o] = bias[o] + the sum over the window of x * w[o], a row of outputs at a time; a max pool's
   window keeps the largest. */
static void conv2d(const linear *l, const @VALUE@ *x, @VALUE@ *y@CONV_LOGITS@) {
@DEPTH_OF@  const int32_t window = l->kernel_h * l->kernel_w * @DEPTH@;
  const int32_t rows = l->out_h / l->pool_h * l->pool_h, columns = l->out_w / l->pool_w * l->pool_w;
  cursor unit = first(l), c;
  int32_t o, p, q;
  for (o = 0; o < l->out_c; ++o) {
    for (p = 0; p < rows; ++p) {
      for (q = 0; q < columns; ++q) arena.sums[q] = 0;
      for (c = unit; c.at < (o + 1) * window; next(l, &c)) {
        const int32_t at = (c.at - o * window) / @DEPTH@; /* in [KH KW] */
        const int32_t h = p * l->stride_h - l->pad_top + at / l->kernel_w;
        const int32_t w = at % l->kernel_w - l->pad_left; /* of the row's first window */
        const @VALUE@ *from;
        int32_t end; /* behind the last window whose pixel is no padding */
        if (h < 0 || h >= l->in_h || w >= l->in_w) continue;
        from = x + h * l->in_w * l->in_c + @CHANNEL@;
        end = (l->in_w - 1 - w) / l->stride_w + 1;
        if (end > columns) end = columns;
        for (q = w < 0 ? (l->stride_w - 1 - w) / l->stride_w : 0; q < end; ++q)
          arena.sums[q] += c.weight * (from[(q * l->stride_w + w) * l->in_c]@MINUS@);
      }
      for (q = 0; q < columns; ++q) {
        const float value = scaled(l, o, arena.sums[q]);
@WRITE@        const @VALUE@ kept = @KEPT@;
        @VALUE@ *to = y + ((p / l->pool_h) * (l->out_w / l->pool_w) + q / l->pool_w) * l->out_c + o;
        if ((p % l->pool_h == 0 && q % l->pool_w == 0) || kept > *to) *to = kept;
      }
    }
    unit = c;
  }
}
)c";

constexpr const char* kC99Dense = R"c(
/* y = bias + W x. */
static void dense(const linear *l, const @VALUE@ *x, @VALUE@ *y@LOGITS@) {
  cursor c = first(l);
  int32_t o;
  for (o = 0; o < l->out_c; ++o) {
    @SUM@ sum = 0;
    float value;
    for (; c.at < (o + 1) * l->in_c; next(l, &c)) sum += c.weight * (x[c.at - o * l->in_c]@MINUS@);
    value = scaled(l, o, sum);
@WRITE_DENSE@      y[o] = @KEPT@;
  }
}
)c";

constexpr const char* kC99Pool = R"c(
/* A window over each channel by itself; padding takes no part. */
typedef struct {
  int32_t in_h, in_w, channels, out_h, out_w;
  int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
} pool;
)c";

constexpr const char* kC99MaxPool = R"c(
static void max_pool2d(const pool *l, const @VALUE@ *x, @VALUE@ *y) {
  int32_t p, q, c, i, j;
  for (p = 0; p < l->out_h; ++p)
    for (q = 0; q < l->out_w; ++q)
      for (c = 0; c < l->channels; ++c) {
        @VALUE@ largest = @LEAST@;
        for (i = 0; i < l->kernel_h; ++i)
          for (j = 0; j < l->kernel_w; ++j) {
            const int32_t h = p * l->stride_h - l->pad_top + i;
            const int32_t w = q * l->stride_w - l->pad_left + j;
            if (h < 0 || h >= l->in_h || w < 0 || w >= l->in_w) continue;
            if (x[(h * l->in_w + w) * l->channels + c] > largest)
              largest = x[(h * l->in_w + w) * l->channels + c];
          }
        *y++ = largest;
      }
}
)c";

constexpr const char* kC99AveragePool = R"c(
static void average_pool2d(const pool *l, const @VALUE@ *x, @VALUE@ *y) {
  int32_t p, q, c, i, j;
  for (p = 0; p < l->out_h; ++p)
    for (q = 0; q < l->out_w; ++q)
      for (c = 0; c < l->channels; ++c) {
        @SUM@ sum = 0;
        int32_t count = 0;
        for (i = 0; i < l->kernel_h; ++i)
          for (j = 0; j < l->kernel_w; ++j) {
            const int32_t h = p * l->stride_h - l->pad_top + i;
            const int32_t w = q * l->stride_w - l->pad_left + j;
            if (h < 0 || h >= l->in_h || w < 0 || w >= l->in_w) continue;
            sum += x[(h * l->in_w + w) * l->channels + c];
            ++count;
          }
        @MEAN@
      }
}
)c";

constexpr const char* kC99LevelMean =
    R"c({
          const volatile float share = 1.0f / (float)count, product = (float)sum * share;
          *y++ = nearest_level(product, 0, 0);
        })c";

constexpr const char* kC99FloatMean = "*y++ = sum / (float)count;";

constexpr const char* kC99BatchNorm = R"c(
/* (x - in_zero) * multiplier[c] + offset[c], to levels, in place. */
static void batch_norm(uint8_t *x, int32_t count, int32_t channels, const float *multiplier,
                       const float *offset, int32_t in_zero, int32_t out_zero, int32_t lowest) {
  int32_t i;
  for (i = 0; i < count; ++i) {
    const volatile float product = (float)(x[i] - in_zero) * multiplier[i % channels];
    const volatile float moved = product + offset[i % channels];
    x[i] = nearest_level(moved, out_zero, lowest);
  }
}
)c";

constexpr const char* kC99FloatBatchNorm = R"c(
/* x * multiplier[c] + offset[c], in place. */
static void batch_norm(float *x, int32_t count, int32_t channels, const float *multiplier,
                       const float *offset, int32_t relu) {
  int32_t i;
  for (i = 0; i < count; ++i) {
    x[i] = x[i] * multiplier[i % channels] + offset[i % channels];
    if (relu && x[i] < 0) x[i] = 0;
  }
}
)c";

constexpr const char* kC99Residual = R"c(
/* (level - zero) * multiplier to the nearest integer, halves to even. */
static int32_t summand(uint8_t level, int32_t zero, float multiplier) {
  const volatile float product = (float)(level - zero) * multiplier;
  const volatile float shifted = product + 12582912.0f;
  return (int32_t)(shifted - 12582912.0f);
}

/* The sum of two stages' levels, each on the sum's scale first; y may be either. */
static void residual(const uint8_t *a, int32_t a_zero, float a_multiplier, const uint8_t *b,
                     int32_t b_zero, float b_multiplier, uint8_t *y, int32_t count,
                     int32_t out_zero, int32_t lowest) {
  int32_t i;
  for (i = 0; i < count; ++i) {
    const int32_t level =
        summand(a[i], a_zero, a_multiplier) + summand(b[i], b_zero, b_multiplier) + out_zero;
    y[i] = (uint8_t)(level < lowest ? lowest : level > 127 ? 127 : level);
  }
}
)c";

constexpr const char* kC99FloatResidual = R"c(
/* The sum of two stages; y may be either. */
static void residual(const float *a, const float *b, float *y, int32_t count, int32_t relu) {
  int32_t i;
  for (i = 0; i < count; ++i) {
    const float sum = a[i] + b[i];
    y[i] = relu && sum < 0 ? 0 : sum;
  }
}
)c";

constexpr const char* kC99Relu = R"c(
/* max(x, the level of 0), in place. */
static void relu(@VALUE@ *x, int32_t count, @VALUE@ zero) {
  int32_t i;
  for (i = 0; i < count; ++i)
    if (x[i] < zero) x[i] = zero;
}
)c";

}  // namespace espalier::exports
