"""TensorFlow and Keras: training steps in one tf.function, several a call, with and without XLA;
inference by a frozen graph, with and without XLA."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from protocol import Variant, main
from shared_models import read_digits, read_layers, read_weights


def build(folder, model):
    """Our layers with our first weights."""
    weights = read_weights(folder, model)
    layers = [keras.Input((28, 28, 1))]
    for layer in read_layers(folder, model):
        kind, name = layer["type"], layer["name"]
        common = {"name": name}
        if kind in ("Conv2d", "Dense"):
            common["activation"] = layer.get("activation")
        if kind == "Conv2d":
            padding = layer.get("padding", "valid")
            layers.append(
                keras.layers.Conv2D(
                    layer["filters"], layer["kernel_size"], padding=padding, **common
                )
            )
        elif kind == "MaxPool2d":
            layers.append(keras.layers.MaxPooling2D(layer.get("pool_size", 2), **common))
        elif kind == "BatchNorm":
            layers.append(keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, **common))
        elif kind == "Flatten":
            layers.append(keras.layers.Flatten(**common))
        elif kind == "Dense":
            layers.append(keras.layers.Dense(layer["units"], **common))
        elif kind == "Dropout":
            layers.append(keras.layers.Dropout(layer["rate"], **common))
        elif kind == "Relu":
            layers.append(keras.layers.ReLU(**common))
        else:
            raise ValueError(f"no layer for {kind}")
    network = keras.Sequential(layers)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):  # ours [O KH KW I], Keras's [KH KW I O]
            weight = weights[layer.name + ".weight"].transpose(1, 2, 3, 0)
            layer.set_weights([weight, weights[layer.name + ".bias"]])
        if isinstance(layer, keras.layers.Dense):
            layer.set_weights([weights[layer.name + ".weight"].T, weights[layer.name + ".bias"]])
    return network


def train(request, xla):
    keras.utils.set_random_seed(1)
    batch = request["batch"]
    network = build(request["folder"], request["model"])
    images, labels = read_digits(request["folder"])
    whole = len(images) // batch
    images = tf.constant(images[: whole * batch].reshape(whole, batch, 28, 28, 1))
    labels = tf.constant(labels[: whole * batch].reshape(whole, batch))
    optimizer = keras.optimizers.Adam(1e-3, epsilon=1e-7)
    optimizer.build(network.trainable_variables)
    steps_per_call = {"small": 16, "large": 1}.get(request["model"], 8)
    next_batch = tf.Variable(0, dtype=tf.int64)

    @tf.function(jit_compile=xla)
    def steps(count):
        loss = tf.constant(0.0)
        for _ in tf.range(count):
            x, y = images[next_batch], labels[next_batch]
            next_batch.assign((next_batch + 1) % whole)
            with tf.GradientTape() as tape:
                logits = network(x, training=True)
                loss = tf.reduce_mean(
                    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
                )
            gradients = tape.gradient(loss, network.trainable_variables)
            optimizer.apply(gradients, network.trainable_variables)
        return loss

    first = steps(tf.constant(1))
    count = tf.constant(steps_per_call)
    steps(count)
    return Variant(lambda: steps(count), [first.numpy()], steps_per_call)


def infer(request, xla):
    images, _ = read_digits(request["folder"], request["batch"])
    network = build(request["folder"], request["model"])
    function = tf.function(lambda x: network(x, training=False), jit_compile=xla)
    images = tf.constant(images)
    if xla:  # compiled as a whole: freezing would take the compilation away
        run = lambda: function(images)
    else:
        frozen = convert_variables_to_constants_v2(function.get_concrete_function(images))
        run = lambda: frozen(images)[0]
    run()
    return Variant(run, numpy.asarray(run())[0])


def prepare(request):
    ways = {"train": train, "infer": infer}
    make = ways.get(request["suite"])
    if make is None:
        return {}
    keras.backend.clear_session()
    plain = "tf.function" if request["suite"] == "train" else "frozen graph"
    return {plain: lambda: make(request, False), "XLA": lambda: make(request, True)}


if __name__ == "__main__":
    # Before anything runs, and for good.
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    main("Keras", versions, prepare)
