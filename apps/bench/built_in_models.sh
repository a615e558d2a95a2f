#!/bin/sh
# The table of apps/RESULTS.md: each built-in network, trained, pruned and quantized on its data, and
# exported. One row a network as it ends. Wants espalier's programs in BIN, and arm-none-eabi-gcc for the
# two columns of a Cortex-M4.
#
#   apps/bench/built_in_models.sh BIN MNIST_FOLDER [NETWORK...]
set -eu
[ $# -ge 2 ] || { echo "usage: $0 BIN MNIST_FOLDER [NETWORK...]" >&2; exit 2; }
bin=$(realpath "$1") mnist=$(realpath "$2")
shift 2
networks=${*:-mlp lenet300 tutorial-small lenet5 tutorial-large tabular dscnn resnet8}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Eight columns, four classes: which of two spirals' arms a point of the first two lies on, and the sign of
# a product of two others; the rest is noise. 10,000 rows.
awk 'BEGIN {
  srand(7); print "x,y,a,b,n1,n2,n3,n4,class"
  for (i = 0; i < 10000; i++) {
    t = rand(); arm = int(2 * rand()); turn = 5 * t + 3.14159265 * arm
    x = t * cos(turn) + 0.03 * (rand() - 0.5); y = t * sin(turn) + 0.03 * (rand() - 0.5)
    a = 100 * (rand() - 0.5); b = 0.02 * (rand() - 0.5)
    printf "%.5f,%.5f,%.3f,%.6f,%.4f,%.4f,%.4f,%.4f,%s\n", x, y, a, b, rand(), rand(), rand(), rand(),
           (arm ? "b" : "a") (a * b > 0 ? "+" : "-")
  } }' > spirals.csv

# epochs, batch, learning rate, sparsity, augmentation, epochs of pruning, of rounding, its learning rate,
# and more keys of prune and of quantize.
recipe() {
  cat << JSON
[{"epochs": $1, "batch_size": $2, "learning_rate": $3$5},
 {"prune": {"sparsity": $4, "end": 0.6, "frequency_steps": 25${9-}}, "epochs": $6, "batch_size": $2,
  "learning_rate": 0.002$5},
 {"quantize": {"weight_bits": 5${10-}}, "epochs": $7, "batch_size": $2, "learning_rate": ${8-0.0005}$5}]
JSON
}
# Nine weights a channel forgive little: depthwise kernels are not pruned, and keep 8 bits.
nine_each=', "layer_bits": {"block1_depthwise": 8, "block2_depthwise": 8, "block3_depthwise": 8, "block4_depthwise": 8}'
shaken=', "augment": {"flip": 0.5, "shift": 3}'

# The number behind a key: in the first stage that has it, or the last.
first() { sed "s/.*\"stages\":\[{//; s/}.*//; s/.*\"$2\":\([0-9.e-]*\).*/\1/" "$1"; }
last() { sed "s/.*\"stages\":\[.*{\([^{]*\)}\].*/\1/; s/.*\"$2\":\([0-9.e-]*\).*/\1/" "$1"; }
bytes() { wc -c < "$1"; }
# Of all weights, in percent.
zeros() {
  "$bin/espalier" inspect --json "$1" | grep -o '"sparsity":[0-9.e-]*,"weights":[0-9]*' | tr ':,' '  ' |
    awk '{zeros += $2 * $4; all += $4} END {printf "%.0f", 100 * zeros / all}'
}

echo "| network | data | float | 5 bits, pruned | zeros | .esp | C99 flash | C99 RAM | .onnx | .tflite |"
echo "|---|---|---|---|---|---|---|---|---|---|"
for network in $networks; do
  data=$mnist name=MNIST
  case $network in
    mlp | lenet300) recipe 8 128 0.001 0.8 "" 4 2 > recipe.json ;;
    tutorial-small) recipe 8 128 0.001 0.8 "" 6 6 0.001 > recipe.json ;;
    lenet5) recipe 6 128 0.001 0.9 "" 4 2 > recipe.json ;;
    tutorial-large) recipe 2 128 0.001 0.9 "" 2 1 > recipe.json ;;
    tabular) data=spirals.csv name="10,000 rows of CSV"; recipe 60 64 0.003 0.5 "" 40 60 0.002 > recipe.json ;;
    resnet8) data=shapes name=shapes; recipe 16 64 0.004 0.7 "$shaken" 6 4 > recipe.json ;;
    dscnn) data=shapes name=shapes; recipe 16 64 0.004 0.7 "$shaken" 8 6 0.001 ', "min_values": 600' "$nine_each" > recipe.json ;;
    *) echo "$0: there is no built-in network $network" >&2; exit 2 ;;
  esac
  "$bin/espalier" train --model "$network" --recipe recipe.json --data "$data" --out model.esp --json > run.json
  for to in c99:model.c onnx:model.onnx tflite:model.tflite; do
    "$bin/espalier" export "${to%%:*}" model.esp -o "${to#*:}" --quiet
  done
  flash=- ram=-
  if command -v arm-none-eabi-gcc > /dev/null; then
    arm-none-eabi-gcc -std=c99 -O2 -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -c model.c -o model.o
    flash=$(arm-none-eabi-size model.o | awk 'NR == 2 {print $1 + $2}')
    ram=$(arm-none-eabi-size model.o | awk 'NR == 2 {print $2 + $3}')
  fi
  printf '| %s | %s | %.2f %% | %.2f %% | %s %% | %d | %s | %s | %d | %d |\n' "$network" "$name" \
    "$(awk "BEGIN {print 100 * $(first run.json accuracy)}")" "$(awk "BEGIN {print 100 * $(last run.json accuracy)}")" \
    "$(zeros model.esp)" "$(bytes model.esp)" "$flash" "$ram" "$(bytes model.onnx)" "$(bytes model.tflite)"
done
