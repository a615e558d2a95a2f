#!/bin/sh
# What zeros in which shape cost in accuracy, and give in time: the table of PERFORMANCE.md. LeNet-5 and the
# large tutorial network, trained once, then pruned (the mask is final after three fifths of that
# training) and rounded to 8 bits for each shape and share. The layer of 10 outputs keeps its
# weights. Filters: the share of units that leaves about as many weights. One row as it ends.
#
#   apps/bench/blocks.sh BIN MNIST_FOLDER [NETWORK...]
set -eu
[ $# -ge 2 ] || { echo "usage: $0 BIN MNIST_FOLDER [NETWORK...]" >&2; exit 2; }
bin=$(realpath "$1") mnist=$(realpath "$2")
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

accuracy() { sed "s/.*\"stages\":\[.*{\([^{]*\)}\].*/\1/; s/.*\"accuracy\":\([0-9.e-]*\).*/\1/" "$1"; }
percent() { awk -v a="$1" 'BEGIN { printf "%.2f %%", 100 * a }'; }
# The plan's whole time, microseconds: the least of five.
plan_us() {
  for i in 1 2 3 4 5; do
    "$bin/espalier" inspect --plan --kernels fixed --batch "$2" "$1" | sed -n 's/^[0-9]* images*, \([0-9.]*\) us, .*/\1/p'
  done | sort -n | head -1
}

echo "| network | weights at zero | shape | float, pruned | int8 | .esp | 1 image, us | 16 images, us |"
echo "|---|---|---|---|---|---|---|---|"
for network in ${*:-lenet5 tutorial-large}; do
  epochs=6 inner='"conv1", "conv2", "dense1"'
  [ "$network" = lenet5 ] || epochs=2
  echo "[{\"epochs\": $epochs, \"batch_size\": 128}]" > float.json
  "$bin/espalier" train -q --model "$network" --data "$mnist" --recipe float.json --weights base.safetensors \
    --out base.esp --json > float.out
  for share in 0 0.9 0.95; do
    for shape in elements 1x4 16x4 filters; do
      units=0.68; [ $share = 0.95 ] && units=0.78
      tune="\"epochs\": $epochs, \"batch_size\": 128, \"learning_rate\": 0.001"
      common="\"end\": 0.6, \"frequency_steps\": 50, \"layers\": [$inner]"
      case $shape in
        elements) pass="\"prune\": {\"sparsity\": $share, $common}" ;;
        *x4) pass="\"prune\": {\"sparsity\": $share, \"structure\": \"blocks\", \"block_outputs\": ${shape%x4},
               \"block_inputs\": 4, $common}" ;;
        filters) pass="\"units\": {\"sparsity\": $units, $common}" ;;
      esac
      if [ $share = 0 ]; then
        [ $shape = elements ] || continue
        shape=dense stage="{$tune}"
      else
        stage="{$pass, $tune}"
      fi
      echo "[$stage, {\"quantize\": {\"weight_bits\": 8}, \"epochs\": 1, \"batch_size\": 128}]" > recipe.json
      "$bin/espalier" train -q --model "$network" --data "$mnist" --from base.safetensors --epochs 0 \
        --recipe recipe.json --out model.esp --json > run.out
      float=$(sed 's/.*"stages":\[{//; s/}.*//; s/.*"accuracy":\([0-9.e-]*\).*/\1/' run.out)
      echo "| $network | $share | $shape | $(percent "$float") | $(percent "$(accuracy run.out)") |" \
        "$(wc -c < model.esp) | $(plan_us model.esp 1) | $(plan_us model.esp 16) |"
    done
  done
done
