"""What `espalier-bench models FOLDER` wrote: networks, first and trained weights, digits. Needs numpy."""

import json
import pathlib
import struct

import numpy


def read_layers(folder, model):
    """The network as a list of layers (layers/model_json.hpp)."""
    return json.loads((pathlib.Path(folder) / f"{model}.json").read_text())["layers"]


def read_weights(folder, model, trained=False):
    """First or trained ones. {name: float32 array}; convolutions [O KH KW I], depthwise [C KH KW 1], dense [OUT IN]."""
    name = model + (".trained" if trained else "") + ".safetensors"
    data = (pathlib.Path(folder) / name).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = numpy.frombuffer(data[first:last], numpy.float32).reshape(entry["shape"])
    return arrays


def read_digits(folder, count=None):
    """images [N 28 28 1] float32 of pixels / 255, labels [N] int64."""
    folder = pathlib.Path(folder)
    pixels = numpy.frombuffer((folder / "images.idx").read_bytes()[20:], numpy.uint8)
    images = pixels.reshape(-1, 28, 28, 1).astype(numpy.float32) / numpy.float32(255)
    labels = numpy.frombuffer((folder / "labels.idx").read_bytes()[8:], numpy.uint8)
    return images[:count], labels.astype(numpy.int64)[:count]
