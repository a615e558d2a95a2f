"""Runs exported .onnx and .tflite files in their own engines and compares them with the reference.

    python3 check_engines.py FOLDER [--agree SHARE] [--difference SHARE] [--accuracy SHARE]

FOLDER holds, as check-export --keep and the tests write them, `pixels` (bytes), and for each model
NAME.onnx and NAME.tflite with NAME.logits (float32); `labels` (bytes), where there are any, for the
accuracy. Of a table, in place of `pixels`, `inputs` (float32): columns that are scaled already. A developer's check: it needs onnx, onnxruntime, ai-edge-litert and numpy from PyPI.
Ends with 1 unless every model's answers agree on 99.9 % of the images (or --agree), no logit differs
by more than --difference of the largest one, where it is given, and the accuracy is within 0.05
points (or --accuracy). Answers agree if the engine's has the reference's largest logit: several may have it, as sums
of few levels are often the same.
"""

import argparse
import json
import pathlib
import re
import sys

import numpy


def reals(pixels, text):
    if pixels.dtype == numpy.float32:
        assert re.search(r"\(value - mean\) / \(8 deviation\)", text), text
        return pixels
    mean, deviation = map(float, re.search(r"pixel / 255 - (\S+)\) / (\S+?),", text).groups())
    return ((pixels.astype(numpy.float32) / 255 - mean) / deviation).astype(numpy.float32)


def run_onnx(file, pixels):
    import onnx
    import onnxruntime

    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (given,), (got,) = session.get_inputs(), session.get_outputs()
    assert len(json.loads(metadata["labels"])) == got.shape[1]
    channels, height, width = given.shape[1:]
    images = pixels.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
    return session.run(None, {given.name: reals(images, metadata["input"])})[0]


def run_tflite(file, pixels):
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(model_path=str(file))
    (given,), (got,) = model.get_input_details(), model.get_output_details()
    text = file.read_bytes()
    text = re.search(rb"float32 \[batch[^\0]*", text).group().decode()
    shape = list(given["shape"])
    images = reals(pixels.reshape(-1, *shape[1:]), text)
    logits = []
    for first in range(0, len(images), 100):
        batch = images[first : first + 100]
        model.resize_tensor_input(given["index"], batch.shape)
        model.allocate_tensors()
        model.set_tensor(given["index"], batch)
        model.invoke()
        logits.append(model.get_tensor(got["index"]))
    return numpy.concatenate(logits)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--agree", type=float, default=0.999)
    options.add_argument("--difference", type=float, default=numpy.inf)
    options.add_argument("--accuracy", type=float, default=0.0005)
    options = options.parse_args()
    folder = options.folder
    good = True
    files = sorted(folder.glob("*.onnx")) + sorted(folder.glob("*.tflite"))
    assert files, f"no .onnx or .tflite file in {folder}"
    for file in files:
        own = file.with_suffix(".pixels")
        if (folder / "inputs").exists():
            pixels = numpy.fromfile(folder / "inputs", numpy.float32)
        else:
            pixels = numpy.fromfile(own if own.exists() else folder / "pixels", numpy.uint8)
        got = (run_onnx if file.suffix == ".onnx" else run_tflite)(file, pixels)
        want = numpy.fromfile(file.with_suffix(".logits"), numpy.float32).reshape(got.shape)
        chosen = numpy.take_along_axis(want, got.argmax(1)[:, None], 1)[:, 0]
        agree = numpy.mean(chosen == want.max(1))
        largest = numpy.abs(got - want).max() / max(numpy.abs(want).max(), 1e-9)
        line = f"{file.name}: {file.stat().st_size} bytes, agree {agree:.4%}, largest difference {largest:.2e} of the largest logit"
        ok = agree >= options.agree and largest <= options.difference
        if (folder / "labels").exists():
            labels = numpy.fromfile(folder / "labels", numpy.uint8)
            here, there = (numpy.mean(x.argmax(1) == labels) for x in (got, want))
            line += f", accuracy {here:.4%}, of the reference {there:.4%}"
            ok = ok and abs(here - there) <= options.accuracy
        print(line + ("" if ok else "  <-- NOT WITHIN THE TOLERANCE"))
        good = good and ok
    sys.exit(0 if good else 1)


main()
