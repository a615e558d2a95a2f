"""ONNX Runtime: float32; int8 as we export it; int8 as its own quantizer makes it
(int8_files.py). Input and output stay bound, so that a run copies nothing."""

import pathlib

import numpy
import onnxruntime

from protocol import Variant, main
from shared_models import read_digits


def open_session(file, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def bind(session, images):
    """images [N C H W]"""
    binding = session.io_binding()
    given = onnxruntime.OrtValue.ortvalue_from_numpy(images)
    got = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.empty((len(images), 10), numpy.float32))
    binding.bind_ortvalue_input(session.get_inputs()[0].name, given)
    binding.bind_ortvalue_output(session.get_outputs()[0].name, got)
    return binding, given, got


def prepare(request):
    folder, model = pathlib.Path(request["folder"]), request["model"]
    files = {
        "float32": folder / f"{model}.float32.onnx",
        "int8, our export": folder / f"{model}.int8.onnx",
        "int8, its quantizer": folder / f"{model}.onnxruntime-int8.onnx",
    }
    if request["suite"] != "infer":
        return {}
    images, _ = read_digits(folder, request["batch"])
    images = numpy.ascontiguousarray(images.transpose(0, 3, 1, 2))

    def make(file):
        session = open_session(file, request["threads"])
        binding, given, got = bind(session, images)
        run = lambda keep=(given, got): session.run_with_iobinding(binding)
        run()
        return Variant(run, got.numpy()[0])

    return {variant: lambda file=file: make(file) for variant, file in files.items()}


def load_and_run(file, batch):
    images = numpy.zeros((batch, 1, 28, 28), numpy.float32)
    session = open_session(file, threads=1)
    session.run(None, {session.get_inputs()[0].name: images})


if __name__ == "__main__":
    main("ONNX Runtime", {"onnxruntime": onnxruntime.__version__}, prepare, load_and_run)
