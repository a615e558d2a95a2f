#!/bin/sh
# The whole small tutorial, from the start of the program to its end, beside the same by Keras, the TensorFlow
# Model Optimization toolkit and LiteRT (peers/keras_tutorial.py): in turn, one thread each (but for the four
# processes that read our files back at once). Prints seconds of
# the wall clock and of the processor, each round and the medians, and the ratio.
#
#   apps/bench/tutorial.sh BIN PYTHON MNIST_FOLDER [ROUNDS]
set -eu
[ $# -ge 3 ] || { echo "usage: $0 BIN PYTHON MNIST_FOLDER [ROUNDS]" >&2; exit 2; }
bin=$(realpath "$1") mnist=$(realpath "$3") rounds=${4:-5}
python=$(command -v "$2") peer=$(realpath "$(dirname "$0")")/peers/keras_tutorial.py
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Appends "wall CPU" of the command to the file.
timed() {
  file=$1
  shift
  "$python" - "$@" >> "$file" <<'EOF'
import os, subprocess, sys, time
start, before = time.perf_counter(), os.times()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
after = os.times()
if done.returncode:
    sys.stderr.buffer.write(done.stderr)
    raise SystemExit(f"{sys.argv[1]} ended with {done.returncode}")
cpu = after.children_user + after.children_system - before.children_user - before.children_system
print(f"{time.perf_counter() - start:.2f} {cpu:.2f}")
EOF
}
median() { cut -d ' ' -f "$2" "$1" | sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

round=0
while [ $round -lt "$rounds" ]; do
  round=$((round + 1))
  timed "$work/ours" "$bin/espalier-tutorial" --data "$mnist" --out "$work/out"
  for calls in 1 16; do
    timed "$work/keras-$calls" "$python" "$peer" "$mnist" --steps-per-call $calls
  done
  echo "round $round of $rounds: espalier $(tail -1 "$work/ours") s, Keras $(tail -1 "$work/keras-1") s," \
    "16 steps a call $(tail -1 "$work/keras-16") s (wall, CPU)" >&2
done
echo "| whole small tutorial | wall, s | CPU, s | wall, ratio | CPU, ratio |"
echo "|---|---|---|---|---|"
for who in ours keras-1 keras-16; do
  echo "| $who | $(median "$work/$who" 1) | $(median "$work/$who" 2) |" \
    "$(awk "BEGIN { printf \"%.2f\", $(median "$work/$who" 1) / $(median "$work/ours" 1) }") |" \
    "$(awk "BEGIN { printf \"%.2f\", $(median "$work/$who" 2) / $(median "$work/ours" 2) }") |"
done
