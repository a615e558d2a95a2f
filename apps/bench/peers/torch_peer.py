"""PyTorch: eager, channels-last, torch.jit frozen, torch.compile (inductor, frozen for inference);
int8 by its x86 engine, traced and frozen. Training: Adam with fused=True throughout."""

import warnings

import torch
import torch.nn.functional as F
from torch import nn

from protocol import Variant, main
from shared_models import read_digits, read_layers, read_weights
from wires import wires

warnings.filterwarnings("ignore")


class Flatten(nn.Module):
    """To [N H*W*C]: free where the memory is channels-last, and our weights fit as they are."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Graph(nn.Module):
    """Modules that read what others before them yield; a residual has none, and adds."""

    def __init__(self, modules, wires):
        super().__init__()
        self.steps = nn.ModuleList(modules)
        self.wires = wires

    def forward(self, x):
        yielded = [x]  # at 1 + the layer's place
        for step, (source, other) in zip(self.steps, self.wires):
            x = yielded[source + 1]
            yielded.append(step(x if other is None else x + yielded[other + 1]))
        return yielded[-1]


def sized(layer, key, otherwise=None):
    """Height and width of a setting that may be one number."""
    value = layer.get(key, otherwise)
    return tuple(value) if isinstance(value, list) else (value, value)


def convolution(layer, channels, shape):
    """The module for images of shape (H W C), behind zeros where PyTorch's own are even; and what it
    yields."""
    kernel, stride = sized(layer, "kernel_size"), sized(layer, "strides", 1)
    filters = layer.get("filters", channels)
    groups = channels if layer["type"] == "DepthwiseConv2d" else 1
    same = layer.get("padding") == "same"
    out = [-(-n // s) if same else (n - k) // s + 1 for n, k, s in zip(shape, kernel, stride)]
    pads = [max((o - 1) * s + k - n, 0) for o, s, k, n in zip(out, stride, kernel, shape)]
    even = all(pad % 2 == 0 for pad in pads)
    padding = tuple(pad // 2 for pad in pads) if even else 0
    module = nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups)
    if not even:
        (top, left), (bottom, right) = [p // 2 for p in pads], [p - p // 2 for p in pads]
        module = nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), module)
    return module, (*out, filters)


def build(folder, model, channels_last, trained=False):
    """Our layers with our first weights, or trained ones, for images [N 1 28 28]."""
    weights = read_weights(folder, model, trained)
    described = read_layers(folder, model)
    wired = wires(described)
    modules, shapes, flattened = [], [(28, 28, 1)], None  # H W C, or F

    def give(module, name):
        tensors = {
            key.removeprefix(name + "."): torch.tensor(value)
            for key, value in weights.items()
            if key.startswith(name + ".")
        }
        with torch.no_grad():
            if isinstance(module, nn.Conv2d):
                module.weight.copy_(tensors["weight"].permute(0, 3, 1, 2))
            if isinstance(module, nn.Linear):
                weight = tensors["weight"]
                if not channels_last and flattened and isinstance(modules[-1], nn.Flatten):
                    h, w, c = flattened
                    weight = weight.reshape(-1, h, w, c).permute(0, 3, 1, 2).flatten(1)
                module.weight.copy_(weight)
            module.bias.copy_(tensors["bias"])
        return module

    for layer, (source, other) in zip(described, wired):
        kind, shape = layer["type"], shapes[source + 1]
        if kind in ("Conv2d", "DepthwiseConv2d"):
            module, shape = convolution(layer, shape[2], shape)
            give(module[-1] if isinstance(module, nn.Sequential) else module, layer["name"])
        elif kind in ("MaxPool2d", "AveragePool2d"):
            size = sized(layer, "pool_size", 2)
            stride = sized(layer, "strides", list(size))
            module = (nn.MaxPool2d if kind == "MaxPool2d" else nn.AvgPool2d)(size, stride)
            out = [(n - k) // s + 1 for n, k, s in zip(shape, size, stride)]
            shape = (*out, shape[2])
        elif kind == "BatchNorm":  # ours starts at 1, 0, 0, 1 as theirs does
            momentum = 1 - layer["momentum"]
            module = nn.BatchNorm2d(shape[2], eps=layer["epsilon"], momentum=momentum)
        elif kind == "Flatten":
            flattened, shape = shape, (shape[0] * shape[1] * shape[2],)
            module = Flatten() if channels_last else nn.Flatten()
        elif kind == "Dense":
            module = give(nn.Linear(shape[0], layer["units"]), layer["name"])
            shape = (layer["units"],)
        elif kind == "Dropout":
            module = nn.Dropout(layer["rate"])
        elif kind == "Relu":
            module = nn.ReLU()
        elif kind == "Residual":
            module = nn.Identity()
        else:
            raise ValueError(f"no layer for {kind}")
        if layer.get("activation") == "relu":
            module = nn.ReLU() if kind == "Residual" else nn.Sequential(module, nn.ReLU())
        modules.append(module)
        shapes.append(shape)
    in_a_row = all(wire == (place - 1, None) for place, wire in enumerate(wired))
    network = nn.Sequential(*modules) if in_a_row else Graph(modules, wired)
    return network.to(memory_format=torch.channels_last) if channels_last else network


def images_of(folder, count, channels_last):
    images, labels = read_digits(folder, count)
    images = torch.tensor(images).permute(0, 3, 1, 2).contiguous()
    if channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    return images, torch.tensor(labels)


def infer(request, how, channels_last):
    torch.set_grad_enabled(False)
    folder, model = request["folder"], request["model"]
    network = build(folder, model, channels_last, trained=True).eval()
    images, _ = images_of(folder, request["batch"], channels_last)
    run = how(network, images)
    for _ in range(5):  # torch.jit specialises in its first runs
        logits = run(images)
    return Variant(lambda: run(images), logits[0])


def eager(network, images):
    return network


def jit(network, images):
    return torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, images)))


def compiled(network, images, **options):
    torch._dynamo.reset()
    return torch.compile(network, options={"freezing": True, **options})


def compiled_cpp(network, images):
    return compiled(network, images, cpp_wrapper=True)


def int8(network, images):
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    torch.backends.quantized.engine = "x86"
    prepared = prepare_fx(network, get_default_qconfig_mapping("x86"), (images,))
    prepared(images)
    return torch.jit.freeze(torch.jit.trace(convert_fx(prepared), images))


def train(request, compile, channels_last, bf16=False):
    torch.set_grad_enabled(True)
    torch.manual_seed(1)
    folder, model, batch = request["folder"], request["model"], request["batch"]
    network = build(folder, model, channels_last).train()
    images, labels = images_of(folder, None, channels_last)
    batches = list(zip(images.split(batch), labels.split(batch)))[: len(images) // batch]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7, fused=True)

    def loss_of(x, y):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(x)
        return F.cross_entropy(logits.float(), y)

    if compile:
        torch._dynamo.reset()
        loss_of = torch.compile(loss_of)
    steps = 0

    def step():
        nonlocal steps
        x, y = batches[steps % len(batches)]
        steps += 1
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        return loss

    return Variant(step, [step().item()])


def prepare(request):
    torch.set_num_threads(request["threads"])
    if request["suite"].startswith("train"):
        ways = {
            "eager": (False, False),
            "eager, channels-last": (False, True),
            "compile": (True, False),
            "compile, channels-last": (True, True),
        }
        if request["suite"] == "train-best":
            ways["eager, channels-last, bf16"] = (False, True, True)
            ways["compile, channels-last, bf16"] = (True, True, True)
        return {name: lambda way=way: train(request, *way) for name, way in ways.items()}
    if request["suite"] != "infer":
        return {}
    ways = {
        "eager, channels-last": (eager, True),
        "jit": (jit, False),
        "jit, channels-last": (jit, True),
        "compile": (compiled, False),
        "compile, C++": (compiled_cpp, False),
        "int8, x86 engine": (int8, True),
    }
    return {name: lambda way=way: infer(request, *way) for name, way in ways.items()}


def load_and_run(file, batch):
    with torch.inference_mode():
        torch.jit.load(file)(torch.zeros(batch, 1, 28, 28))


if __name__ == "__main__":
    main("PyTorch", {"torch": torch.__version__}, prepare, load_and_run)
