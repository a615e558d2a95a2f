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
from wires import wires


def build(folder, model, trained=False):
    """Our layers with our first weights, or trained ones."""
    weights = read_weights(folder, model, trained)
    described = read_layers(folder, model)
    yielded = [keras.Input((28, 28, 1))]  # at 1 + the layer's place
    for layer, (source, other) in zip(described, wires(described)):
        kind, name = layer["type"], layer["name"]
        common, x = {"name": name}, yielded[source + 1]
        if kind in ("Conv2d", "DepthwiseConv2d", "Dense"):
            common["activation"] = layer.get("activation")
        if kind in ("Conv2d", "DepthwiseConv2d"):
            common |= {"padding": layer.get("padding", "valid"), "strides": layer.get("strides", 1)}
        size = layer.get("kernel_size", layer.get("pool_size", 2))
        if kind == "Conv2d":
            made = keras.layers.Conv2D(layer["filters"], size, **common)
        elif kind == "DepthwiseConv2d":
            made = keras.layers.DepthwiseConv2D(size, **common)
        elif kind == "MaxPool2d":
            made = keras.layers.MaxPooling2D(size, strides=layer.get("strides"), **common)
        elif kind == "AveragePool2d":
            made = keras.layers.AveragePooling2D(size, strides=layer.get("strides"), **common)
        elif kind == "BatchNorm":
            given = {key: layer[key] for key in ("momentum", "epsilon")}
            made = keras.layers.BatchNormalization(**given, **common)
        elif kind == "Flatten":
            made = keras.layers.Flatten(**common)
        elif kind == "Dense":
            made = keras.layers.Dense(layer["units"], **common)
        elif kind == "Dropout":
            made = keras.layers.Dropout(layer["rate"], **common)
        elif kind == "Relu":
            made = keras.layers.ReLU(**common)
        elif kind == "Residual":
            made, x = keras.layers.Add(**common), [x, yielded[other + 1]]
        else:
            raise ValueError(f"no layer for {kind}")
        y = made(x)
        if kind == "Residual" and layer.get("activation") == "relu":
            y = keras.layers.ReLU()(y)
        yielded.append(y)
    network = keras.Model(yielded[0], yielded[-1])
    for layer in network.layers:
        if layer.name + ".weight" not in weights:
            continue
        weight, bias = weights[layer.name + ".weight"], weights[layer.name + ".bias"]
        if isinstance(layer, keras.layers.Dense):
            weight = weight.T
        elif isinstance(layer, keras.layers.DepthwiseConv2D):  # ours [C KH KW 1], theirs [KH KW C 1]
            weight = weight.transpose(1, 2, 0, 3)
        else:  # ours [O KH KW I], theirs [KH KW I O]
            weight = weight.transpose(1, 2, 3, 0)
        layer.set_weights([weight, bias])
    return network


def train(request, xla, bf16=False):
    keras.utils.set_random_seed(1)
    batch = request["batch"]
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16" if bf16 else "float32")
    network = build(request["folder"], request["model"])
    keras.mixed_precision.set_dtype_policy("float32")
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
                logits = tf.cast(network(x, training=True), tf.float32)
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
    network = build(request["folder"], request["model"], trained=True)
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
    keras.backend.clear_session()
    if request["suite"] == "infer":
        return {"frozen graph": lambda: infer(request, False), "XLA": lambda: infer(request, True)}
    if not request["suite"].startswith("train"):
        return {}
    ways = {"tf.function": lambda: train(request, False), "XLA": lambda: train(request, True)}
    if request["suite"] == "train-best":
        ways["tf.function, bf16"] = lambda: train(request, False, True)
        ways["XLA, bf16"] = lambda: train(request, True, True)
    return ways


if __name__ == "__main__":
    # Before anything runs, and for good.
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    main("Keras", versions, prepare)
