"""A network in PyTorch and, by `espalier train --from`, here: the farthest two logits are apart.

    python tests/layers/check_torch_weights.py build/bin/espalier

Needs torch, safetensors and pillow; exits with 1 beyond 1e-4."""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

MODEL = {
    "input": [32, 32, 3],
    "layers": [
        {"type": "Conv2d", "filters": 8, "kernel_size": 3, "padding": 1, "strides": 2},
        {"type": "BatchNorm", "epsilon": 1e-5},
        {"type": "Relu"},
        {"type": "DepthwiseConv2d", "kernel_size": 3, "padding": 1},
        {"type": "BatchNorm", "epsilon": 1e-5},
        {"type": "Relu"},
        {"type": "Conv2d", "filters": 12, "kernel_size": 1, "activation": "relu"},
        {"type": "MaxPool2d", "pool_size": 2},
        {"type": "Flatten"},
        {"type": "Dense", "units": 20},
        {"type": "BatchNorm", "epsilon": 1e-5},
        {"type": "Relu"},
        {"type": "Dense", "units": 10},
    ],
}


def network():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 12, 1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(12 * 8 * 8, 20),
        nn.BatchNorm1d(20),
        nn.ReLU(),
        nn.Linear(20, 10),
    )


def main(espalier):
    def run(*arguments):
        return subprocess.run([espalier, *map(str, arguments)], check=True, stdout=subprocess.PIPE)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run("data", "convert", "shapes", "-q", "--png", "-o", folder / "shapes")
        pictures = sorted((folder / "shapes/test").glob("*/*.png"))[::40]
        pixels = numpy.stack([numpy.asarray(Image.open(picture)) for picture in pictures])
        x = torch.tensor(pixels).permute(0, 3, 1, 2).float() / 255
        torch.manual_seed(1)
        net = network()
        for _ in range(20):  # running statistics that are not 0 and 1
            net(x + 0.1 * torch.randn_like(x))
        (folder / "model.json").write_text(json.dumps(MODEL))
        worst = 0
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            net = net.to(dtype)
            save_file(net.state_dict(), folder / "net.safetensors")
            with torch.no_grad():
                wanted = net.float().eval()(x).numpy()
            run("train", "--model", folder / "model.json", "--data", "shapes", "--images", 100,
                "--from", folder / "net.safetensors", "--out", folder / "net.esp", "-q")  # fmt: skip
            lines = run("run", "--json", folder / "net.esp", *pictures).stdout.splitlines()
            ours = numpy.array([json.loads(line)["logits"] for line in lines])
            apart = numpy.abs(ours - wanted).max()
            worst = max(worst, apart)
            print(f"{dtype}: {len(pictures)} pictures, logits up to {numpy.abs(wanted).max():.2f}, "
                  f"at most {apart:.1e} apart")  # fmt: skip
    return worst < 1e-4


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1]) else 1)
