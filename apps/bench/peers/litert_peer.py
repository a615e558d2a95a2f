"""LiteRT (TensorFlow Lite) with XNNPACK, which it applies by itself: float32; int8 as we export it;
int8 as TensorFlow's converter makes it (int8_files.py). The input tensor keeps its images."""

import importlib.metadata
import pathlib

import numpy
from ai_edge_litert.interpreter import Interpreter

from protocol import Variant, main
from shared_models import read_digits


def open_model(file, images, threads):
    model = Interpreter(model_path=str(file), num_threads=threads)
    given = model.get_input_details()[0]["index"]
    model.resize_tensor_input(given, images.shape)
    model.allocate_tensors()
    model.set_tensor(given, images)
    return model


def prepare(request):
    folder, model = pathlib.Path(request["folder"]), request["model"]
    files = {
        "float32": folder / f"{model}.float32.tflite",
        "int8, our export": folder / f"{model}.int8.tflite",
        "int8, its converter": folder / f"{model}.tensorflow-int8.tflite",
    }
    if request["suite"] != "infer":
        return {}
    images, _ = read_digits(folder, request["batch"])

    def make(file):
        interpreter = open_model(file, images, request["threads"])
        interpreter.invoke()
        logits = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        return Variant(interpreter.invoke, logits)

    return {variant: lambda file=file: make(file) for variant, file in files.items()}


def load_and_run(file, batch):
    model = open_model(file, numpy.zeros((batch, 28, 28, 1), numpy.float32), threads=1)
    model.invoke()
    model.get_tensor(model.get_output_details()[0]["index"])


if __name__ == "__main__":
    versions = {"ai-edge-litert": importlib.metadata.version("ai-edge-litert")}
    main("LiteRT", versions, prepare, load_and_run)
