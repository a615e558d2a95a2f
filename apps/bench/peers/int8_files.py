"""Writes int8 models by the engines' own tools, from our float32 ones, beside them:
NAME.onnxruntime-int8.onnx (quantize_static, by channel), NAME.tensorflow-int8.tflite and
NAME.torch-int8.pt.

    python int8_files.py FOLDER
"""

import pathlib
import sys

import numpy
from shared_models import read_digits

CALIBRATION_IMAGES = 256


def by_onnxruntime(folder, model):
    from onnxruntime import quantization

    images, _ = read_digits(folder, CALIBRATION_IMAGES)
    images = numpy.ascontiguousarray(images.transpose(0, 3, 1, 2))

    class Images(quantization.CalibrationDataReader):
        def __init__(self):
            self.batches = iter(numpy.split(images, len(images) // 32))

        def get_next(self):
            batch = next(self.batches, None)
            return None if batch is None else {"image": batch}

    source = folder / f"{model}.float32.onnx"
    prepared = folder / f"{model}.prepared.onnx"
    quantization.shape_inference.quant_pre_process(str(source), str(prepared))
    quantization.quantize_static(
        str(prepared),
        str(folder / f"{model}.onnxruntime-int8.onnx"),
        Images(),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )
    prepared.unlink()


def by_tensorflow(folder, model):
    import tensorflow as tf
    from keras_peer import build

    images, _ = read_digits(folder, CALIBRATION_IMAGES)
    converter = tf.lite.TFLiteConverter.from_keras_model(
        build(folder, model, trained=True)
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    (folder / f"{model}.tensorflow-int8.tflite").write_bytes(converter.convert())


def by_torch(folder, model):
    import torch
    import torch_peer

    torch.set_grad_enabled(False)
    images, _ = torch_peer.images_of(folder, CALIBRATION_IMAGES, channels_last=True)
    network = torch_peer.build(folder, model, channels_last=True, trained=True).eval()
    torch_peer.int8(network, images).save(str(folder / f"{model}.torch-int8.pt"))


def main():
    folder = pathlib.Path(sys.argv[1])
    failed = False
    for file in sorted(folder.glob("*.json")):
        for tool in (by_onnxruntime, by_tensorflow, by_torch):
            try:
                tool(folder, file.stem)
            except Exception as error:  # the peer goes without, and says so
                failed = True
                print(
                    f"{file.stem} {tool.__name__}: {type(error).__name__}: {error}", file=sys.stderr
                )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
