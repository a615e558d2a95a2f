#!/bin/sh
# What zeros in which shape cost in accuracy, and give in time: the table of PERFORMANCE.md. LeNet-5 and the
# large tutorial network, trained once (6 and 4 epochs), then pruned in 6 epochs (the mask is final after three
# fifths of them) and rounded to 8 bits in 2, for each shape and share. The first layer and the one of 10
# outputs keep their weights, 1.3 % of LeNet-5's and 0.3 % of large's; the others make up for them. Filters,
# of all hidden layers: the share of units that leaves about as many weights. One row as it ends.
#
#   apps/bench/blocks.sh BIN MNIST_FOLDER [NETWORK...]
#
# SHARES and SHAPES in the environment choose rows ("0 0.9", "16x4").
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
  epochs=6 all=430500 inner=425000  # weights
  [ "$network" = lenet5 ] || epochs=4 all=3273504 inner=3262464
  echo "[{\"epochs\": $epochs, \"batch_size\": 128}]" > float.json
  "$bin/espalier" train -q --model "$network" --data "$mnist" --recipe float.json --weights base.safetensors \
    --out base.esp --json > float.out
  for share in ${SHARES:-0 0.9 0.95}; do
    shapes=${SHAPES:-elements 1x4 16x4 filters}
    [ "$share" != 0 ] || shapes=dense
    for shape in $shapes; do
      sparsity=$(awk "BEGIN { printf \"%.4f\", $share * $all / $inner }")
      units=0.68; [ "$share" = 0.95 ] && units=0.78
      common="\"end\": 0.6, \"frequency_steps\": 50"
      prune="\"prune\": {\"sparsity\": $sparsity, $common, \"layers\": [\"conv2\", \"dense1\"]"
      case $shape in
        dense) pass= ;;
        elements) pass="$prune}," ;;
        *x4) pass="$prune, \"structure\": \"blocks\", \"block_outputs\": ${shape%x4}, \"block_inputs\": 4}," ;;
        filters) pass="\"units\": {\"sparsity\": $units, $common, \"layers\": [\"conv1\", \"conv2\", \"dense1\"]}," ;;
      esac
      stage="{$pass \"epochs\": 6, \"batch_size\": 128, \"learning_rate\": 0.001}"
      echo "[$stage, {\"quantize\": {\"weight_bits\": 8}, \"epochs\": 2, \"batch_size\": 128}]" > recipe.json
      "$bin/espalier" train -q --model "$network" --data "$mnist" --from base.safetensors --epochs 0 \
        --recipe recipe.json --out model.esp --json > run.out
      float=$(sed 's/.*"stages":\[{//; s/}.*//; s/.*"accuracy":\([0-9.e-]*\).*/\1/' run.out)
      echo "| $network | $share | $shape | $(percent "$float") | $(percent "$(accuracy run.out)") |" \
        "$(wc -c < model.esp) | $(plan_us model.esp 1) | $(plan_us model.esp 16) |"
    done
  done
done
