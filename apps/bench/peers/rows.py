"""The rows of the table: what is run, and what is promised of it (ratios to the fastest peer at its
best setting)."""

from dataclasses import dataclass

MODELS = ("small", "lenet5", "lenet300", "large", "resnet8", "dscnn")


@dataclass(frozen=True)
class Row:
    suite: str
    model: str
    batch: int
    ours: str  # our variant that counts
    must: float = 0  # 0: nothing promised
    moonshot: float = 0
    against: str = ""  # our own variant to compare with, instead of the peers

    @property
    def title(self):
        return f"{self.suite} {self.model}, batch {self.batch}" + (
            f", {self.ours}" if self.against else ""
        )


ROWS = (
    Row("train", "small", 32, "float32", 1.6, 3),
    Row("train", "lenet300", 128, "float32", 1.6, 3),
    Row("train", "lenet5", 128, "float32", 1.2, 1.8),
    Row("train", "large", 128, "float32", 1.3, 1.6),
    # At the best precision of each: bf16, where the processor has it.
    Row("train-best", "lenet5", 128, "bf16", 1.0, 1.5),
    Row("train-best", "large", 128, "bf16", 1.0, 1.5),
    Row("infer", "small", 1, "int8", 3, 6),
    Row("infer", "lenet5", 1, "int8", 4, 8),
    Row("infer", "lenet300", 1, "int8", 4, 8),
    Row("infer", "large", 1, "int8", 2.5, 5),
    Row("infer", "resnet8", 1, "int8"),
    Row("infer", "dscnn", 1, "int8"),
    Row("infer", "small", 256, "int8"),
    Row("infer", "lenet5", 256, "int8"),
    Row("infer", "lenet300", 256, "int8"),
    Row("infer", "large", 256, "int8", 1.2, 2.5),
    Row("sparse", "large", 1, "90 % 16x4", 3, 0, against="dense"),
    Row("sparse", "large", 32, "90 % 16x4", 1.3, 0, against="dense"),
    Row("sparse", "large", 1, "95 % single", 1.5, 2.5, against="dense"),
)

# Fresh processes, large, batch 1.
LOAD_MUST_SECONDS, LOAD_MOONSHOT_SECONDS = 0.1, 0.03
MEMORY_MUST, MEMORY_MOONSHOT = 5, 20  # ONNX Runtime's peak by ours


def verdict(ratio, must, moonshot):
    if not must:
        return ""
    if moonshot and ratio >= moonshot:
        return "moonshot"
    return "yes" if ratio >= must else "MISS"
