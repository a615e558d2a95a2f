// The text of an exported JavaScript file: its head, a function a kind of layer, emitted where a layer
// needs it, and its end. js.cpp fills in the words in @s.
#pragma once

namespace espalier::exports {

constexpr const char* kJsHead =
    R"js(// @NAME@: a neural network in one file, written by espalier export js.
@API@
@TAKES@
// @HOW@
// Activations are levels of 0..127, weights small integers; the logits are the same bits everywhere.
const @NAME@ = (() => {
  "use strict";
  const fround = Math.fround;
  // x rounded to an integer, halves to even, plus zero; kept within lowest..127.
  const nearest = (x, zero, lowest) =>
    Math.min(Math.max(x, lowest - zero), 127 - zero) + 6755399441055744 - 6755399441055744 + zero;
)js";

constexpr const char* kJsLinear = R"js(
  // The weights that are not 0, of each output: row, column and channel of its input, and the level.
  const taps = (l) => {
    const bytes = atob(l.weights), [, , channels] = l.from, all = [];
    const [, , outputs] = l.to, [rows, columns] = l.kernel,@DEPTH_OF@ inputs = rows * columns * @DEPTH@;
    let at = 0;
    const bit = () => (bytes.charCodeAt(at >> 3) >> (at++ & 7)) & 1;
    const rice = (bits) => { // so many times 2^bits as there are 1s before a 0, and `bits` more bits
      let n = 0;
      while (bit()) n++;
      n <<= bits;
      for (let i = 0; i < bits; i++) n |= bit() << i;
      return n;
    };
    for (let o = 0; o < outputs; o++) all.push([]);
    // How many zeros come first; negative; how much more than 1.
    for (let i = rice(l.gap); i < inputs * outputs; i += 1 + rice(l.gap)) {
      const negative = bit(), size = 1 + rice(l.size), k = i % inputs, place = Math.floor(k / @DEPTH@);
      all[Math.floor(i / inputs)].push(
        Math.floor(place / columns), place % columns, @CHANNEL@, negative ? -size : size);
    }
    return all;
  };

  // A convolution, or a dense layer, which is one of a 1 x 1 image.
  const linear = (l, x) => {
    const [height, width, channels] = l.from, [rows, columns, outputs] = l.to, [sh, sw] = l.stride;
    const y = new (l.logits ? Float32Array : Uint8Array)(rows * columns * outputs);
    l.taps ??= taps(l);
    for (let o = 0; o < outputs; o++) {
      const t = l.taps[o], bias = l.bias.length ? l.bias[o] * 2 ** l.shift : 0;
      const multiplier = fround(l.multiplier[l.multiplier.length > 1 ? o : 0]);
      for (let p = 0; p < rows; p++)
        for (let q = 0; q < columns; q++) {
          let sum = bias;
          for (let k = 0; k < t.length; k += 4) {
            const h = p * sh - l.pad[0] + t[k], w = q * sw - l.pad[1] + t[k + 1];
            if (h < 0 || h >= height || w < 0 || w >= width) continue;
            sum += t[k + 3] * (x[(h * width + w) * channels + t[k + 2]] - l.zeros[0]);
          }
          const value = fround(sum * multiplier), at = (p * columns + q) * outputs + o;
          y[at] = l.logits ? (l.relu && value < 0 ? 0 : value) : nearest(value, l.zeros[1], l.lowest);
        }
    }
    return y;
  };
)js";

constexpr const char* kJsPool = R"js(
  // The largest or the mean of a window, of each channel; padding takes no part.
  const pool = (l, x) => {
    const [height, width, channels] = l.from, [rows, columns] = l.to, y = [];
    for (let p = 0; p < rows; p++)
      for (let q = 0; q < columns; q++)
        for (let c = 0; c < channels; c++) {
          let largest = 0, sum = 0, count = 0;
          for (let i = 0; i < l.kernel[0]; i++)
            for (let j = 0; j < l.kernel[1]; j++) {
              const h = p * l.stride[0] - l.pad[0] + i, w = q * l.stride[1] - l.pad[1] + j;
              if (h < 0 || h >= height || w < 0 || w >= width) continue;
              const value = x[(h * width + w) * channels + c];
              largest = Math.max(largest, value), sum += value, count++;
            }
          y.push(l.mean ? nearest(fround(sum * fround(1 / count)), 0, 0) : largest);
        }
    return y;
  };
)js";

constexpr const char* kJsNorm = R"js(
  const norm = (l, x) => x.map((v, i) => {
    const c = i % l.multiplier.length;
    const product = fround((v - l.zeros[0]) * fround(l.multiplier[c]));
    return nearest(fround(product + fround(l.offset[c])), l.zeros[1], l.lowest);
  });
)js";

constexpr const char* kJsRelu = R"js(
  const relu = (l, x) => x.map((v) => Math.max(v, l.zero));
)js";

constexpr const char* kJsResidual = R"js(
  const residual = (l, x, other) => {
    const nearest = (v, k) => // of the sum's levels, halves to even
      fround((v - l.zeros[k]) * fround(l.multiplier[k])) + 6755399441055744 - 6755399441055744;
    const sum = (v, i) => nearest(v, 0) + nearest(other[i], 1) + l.zeros[2];
    return x.map((v, i) => Math.min(Math.max(sum(v, i), l.lowest), 127));
  };
)js";

constexpr const char* kJsTail = R"js(
@LABELS@  const layers = [
@LAYERS@  ];
  const run = (@GIVEN@) => {
    if (@GIVEN@.length !== @COUNT@) throw new RangeError("@NAME@ takes @COUNT@ @GIVEN@, not " + @GIVEN@.length);
@CHECK@    const all = [Array.from(@GIVEN@, @FIRST@)]; // what each layer yields
    const back = (n = 1) => all[all.length - n];
    for (const [layer, l] of layers) all.push(layer(l, back(l.input), l.other && back(l.other)));
    return @RESULT@;
  };
@ANSWER@})();
)js";

constexpr const char* kJsClassify = R"js(  const classify = (@GIVEN@) => {
    const logits = run(@GIVEN@);
    return logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
  };
  return { run, classify, labels };
)js";

constexpr const char* kJsPredict = R"js(  const predict = (@GIVEN@) => run(@GIVEN@)[0];
  return { run, predict };
)js";

// Of a table: each of its columns, by its mean and deviation.
constexpr const char* kJsSeen = R"js(
  // What the network sees of a column's value: 0.5 + (value - mean) / (8 deviation), within 0..1.
  const scalings = [
@SCALINGS@  ];
  const seen = (value, [mean, deviation]) => {
    const z = deviation > 0 ? (fround(value) - fround(mean)) / fround(deviation) : 0;
    return fround(Math.min(Math.max(0.5 + z / 8, 0), 1));
  };
)js";

}  // namespace espalier::exports
