"""python read_safetensors.py FILE BACK: what PyPI's safetensors finds in FILE, a line a tensor (name,
type, shape, bytes) and the metadata's names; BACK gets the same tensors, written by it."""

import sys

from safetensors import safe_open
from safetensors.numpy import save_file

tensors = {}
with safe_open(sys.argv[1], framework="np") as file:
    for name in sorted(file.keys()):
        values = tensors[name] = file.get_tensor(name)
        shape = "x".join(map(str, values.shape))
        print("tensor", name, values.dtype, shape, values.tobytes().hex())
    metadata = file.metadata() or {}
for name in sorted(metadata):
    print("metadata", name, metadata[name].encode().hex())
save_file(tensors, sys.argv[2])
