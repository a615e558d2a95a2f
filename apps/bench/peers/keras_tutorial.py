"""The small tutorial by Keras, the TensorFlow Model Optimization toolkit and LiteRT: what
espalier-tutorial does, step by step, with the same network, epochs, batches and images: 54,000 to
train on, 6,000 to validate each epoch, 10,000 to test each file. Prints one line of JSON: seconds
of each step, accuracy and DEFLATE bytes of each file.

    VENV/bin/python keras_tutorial.py MNIST_FOLDER [--threads N] [--steps-per-call N]
"""

import time

START = time.perf_counter()

import argparse
import gzip
import json
import os
import pathlib
import tempfile
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the toolkit knows no other

import numpy
import tensorflow as tf
import tensorflow_model_optimization as tfmot
from ai_edge_litert.interpreter import Interpreter

keras = tf.keras
CALIBRATION, TEST_BATCH, VALIDATION = 1000, 100, 6000


def idx(folder, name):
    for path in (pathlib.Path(folder) / name, pathlib.Path(folder) / f"{name}.gz"):
        if path.exists():
            data = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
            sizes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
            return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)
    raise SystemExit(f"{folder}: no {name}; give the folder of MNIST's IDX files")


def images(folder, name):
    return idx(folder, name)[..., None].astype(numpy.float32) / numpy.float32(255)


def compiled(network, rate, steps_per_call):
    network.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=steps_per_call,
    )
    return network


def cosine(rate, epochs, count):
    return keras.optimizers.schedules.CosineDecay(rate, epochs * -(-count // 128))


def int8(converter, calibration=None):
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if calibration is not None:
        converter.representative_dataset = lambda: ([image[None]] for image in calibration)
    return converter.convert()


def evaluate(path, x, labels, threads):
    """Right answers of the file's, by LiteRT with XNNPACK."""
    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, (TEST_BATCH, 28, 28, 1))
    interpreter.allocate_tensors()
    answer, right = interpreter.get_output_details()[0]["index"], 0
    for i in range(0, len(x), TEST_BATCH):
        interpreter.set_tensor(place, x[i : i + TEST_BATCH])
        interpreter.invoke()
        guesses = interpreter.get_tensor(answer).argmax(1)
        right += int((guesses == labels[i : i + TEST_BATCH]).sum())
    return right / len(x)


def tutorial(folder, threads, steps_per_call, seconds):
    def took(step, since):
        seconds[step] = round(time.perf_counter() - since, 3)
        return time.perf_counter()

    now = took("imports", START)
    keras.utils.set_random_seed(1)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    x, labels = images(folder, "train-images-idx3-ubyte"), idx(folder, "train-labels-idx1-ubyte")
    fit = {"verbose": 0, "validation_data": (x[-VALIDATION:], labels[-VALIDATION:])}
    x, labels = x[:-VALIDATION], labels[:-VALIDATION]
    test, wanted = images(folder, "t10k-images-idx3-ubyte"), idx(folder, "t10k-labels-idx1-ubyte")
    now = took("data", now)

    network = keras.Sequential(
        [
            keras.layers.InputLayer((28, 28, 1)),
            keras.layers.Conv2D(12, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    compiled(network, 1e-3, steps_per_call)
    network.fit(x, labels, batch_size=32, epochs=4, **fit)
    accuracy = {"baseline": network.evaluate(test, wanted, TEST_BATCH, verbose=0)[1]}
    files = {"baseline": tf.lite.TFLiteConverter.from_keras_model(network).convert()}
    now = took("baseline", now)

    steps = 4 * -(-len(x) // 128)
    schedule = tfmot.sparsity.keras.PolynomialDecay(0.5, 0.8, 0, steps // 2, frequency=20)
    pruned = tfmot.sparsity.keras.prune_low_magnitude(network, pruning_schedule=schedule)
    compiled(pruned, cosine(5e-3, 4, len(x)), steps_per_call)
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep()]
    pruned.fit(x, labels, batch_size=128, epochs=4, callbacks=callbacks, **fit)
    accuracy["pruned"] = pruned.evaluate(test, wanted, TEST_BATCH, verbose=0)[1]
    stripped = tfmot.sparsity.keras.strip_pruning(pruned)
    files["pruned"] = tf.lite.TFLiteConverter.from_keras_model(stripped).convert()
    now = took("pruning", now)

    files["post_training"] = int8(
        tf.lite.TFLiteConverter.from_keras_model(stripped), x[:CALIBRATION]
    )
    now = took("post-training quantization", now)

    aware = tfmot.quantization.keras.quantize_apply(
        tfmot.quantization.keras.quantize_annotate_model(stripped),
        tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme(),
    )
    compiled(aware, cosine(5e-4, 2, len(x)), steps_per_call)
    aware.fit(x, labels, batch_size=128, epochs=2, **fit)
    accuracy["quantized"] = aware.evaluate(test, wanted, TEST_BATCH, verbose=0)[1]
    files["quantized"] = int8(tf.lite.TFLiteConverter.from_keras_model(aware))
    now = took("quantization-aware training", now)

    table = {}
    with tempfile.TemporaryDirectory() as out:
        for name, data in files.items():
            path = pathlib.Path(out) / f"{name}.tflite"
            path.write_bytes(data)
            table[name] = {
                "trained": round(accuracy.get(name, 0), 4),
                "runs": round(evaluate(path, test, wanted, threads), 4),
                "bytes": len(data),
                "deflate_bytes": len(zlib.compress(data, 9)),
            }
    took("reading back", now)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps-per-call", type=int, default=16, help="of training, in one call")
    options = parser.parse_args()
    seconds = {}
    table = tutorial(options.folder, options.threads, options.steps_per_call, seconds)
    seconds["whole"] = round(time.perf_counter() - START, 3)
    print(json.dumps({"seconds": seconds, "files": table}))


if __name__ == "__main__":
    main()
