"""Training a captioner or a ranker: one loop for laptop and GPU, stopped and resumed at will."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from cs_caption.batches import Batch, Examples, batches_in_order, encode_examples, training_batches
from cs_caption.checkpoint import Saved, load_weights, newest_checkpoint, save_checkpoint
from cs_caption.data.captioned import CaptionedImages
from cs_caption.data.scenes import Scenes
from cs_caption.data.vocabulary import Vocabulary
from cs_caption.device import pick_device
from cs_caption.models import Captioner
from cs_caption.objectives import Model, check_objective, held_out_part, training_loss

Data = CaptionedImages | Scenes
Report = Callable[[str], object]

OPTIMIZERS = ("adamw", "rmsprop")
PRECISIONS = ("float32", "bfloat16")
OUTPUT_BIASES = ("frequency", "zero")
CONTRASTS = ("margin", "hardest", "softmax")


@dataclass(frozen=True)
class TrainConfig:
    """How to train. The defaults are the demo's recipe for the simple scenes on two cores.

    A step takes `batch` pictures with up to `captions` of each one's sentences; a picture is
    encoded once for all of them. The learning rate rises over `warmup` steps to `lr` and falls on
    a cosine to `final_lr` times that. A checkpoint is written every `save_every` steps and the
    newest `keep` of them stay; history gets a row every `log_every` steps, with the loss on `val`
    every `val_every`; a line is reported about every `report_seconds`. A caption may have at most
    `max_len` tokens.

    With `sampled` above 0 the softmax of a training step is over the true words and those that come
    up in that many draws by frequency (`cs_caption.losses`). `encoder_lr` is the highest rate of
    the encoder's weights where it is not that of the others. The output layer's bias begins at the
    log frequency of the words, or with output_bias="zero" at nothing.

    For models with attention `doubly_stochastic` is the weight of the charge of that name. Of hard
    ones' loss, `entropy` times the entropy of where they look is taken away, and `reward` times
    REINFORCE's loss for the looks that were drawn is added, with a moving baseline that keeps the
    share `baseline` of what it was at each step. In the papers all of these are sums over a
    caption's words; here, as the loss is a mean, they are divided by the mean number of words.
    (The authors' code, arctic-captions, has the same `reward` and `baseline`.)

    A ranker's wrong pairs are charged by `contrast`: "margin", all that come within `margin` of the
    right one; "hardest", of each picture and each sentence the worst alone; "softmax", by how
    probable the right one is among all (`cs_caption.losses`).

    Raises: ValueError, naming the field, for a value out of range.
    """

    steps: int = 1500
    batch: int = 64
    captions: int = 4
    optimizer: str = "adamw"
    lr: float = 4e-3
    warmup: int = 100
    final_lr: float = 0.01
    weight_decay: float = 0.01
    clip: float = 5.0
    sampled: int = 0
    encoder_lr: float | None = None
    output_bias: str = "frequency"
    doubly_stochastic: float = 0.0
    reward: float = 0.1
    entropy: float = 0.01
    baseline: float = 0.9
    contrast: str = "margin"
    margin: float = 1.0
    seed: int = 0
    max_len: int = 60
    precision: str = "float32"
    device: str = "auto"
    save_every: int = 200
    keep: int = 2
    log_every: int = 50
    val_every: int = 400
    report_seconds: float = 10.0

    def __post_init__(self):
        for name in ("steps", "batch", "captions", "save_every", "keep", "log_every", "val_every"):
            self._check_whole(name, 1)
        for name, least in (("warmup", 0), ("seed", 0), ("sampled", 0), ("max_len", 3)):
            self._check_whole(name, least)
        for name in ("lr", "clip", "margin"):
            self._check(name, 0 < getattr(self, name) < math.inf, "a number above 0")
        for name in ("weight_decay", "report_seconds", "doubly_stochastic", "reward", "entropy"):
            self._check(name, 0 <= getattr(self, name) < math.inf, "a number of 0 or more")
        if self.encoder_lr is not None:
            self._check("encoder_lr", 0 < self.encoder_lr < math.inf, "a number above 0, or None")
        self._check("output_bias", self.output_bias in OUTPUT_BIASES, " or ".join(OUTPUT_BIASES))
        self._check("contrast", self.contrast in CONTRASTS, " or ".join(CONTRASTS))
        self._check("baseline", 0 <= self.baseline < 1, "a share, from 0 to below 1")
        self._check("final_lr", 0 <= self.final_lr <= 1, "a part of lr, from 0 to 1")
        self._check("optimizer", self.optimizer in OPTIMIZERS, " or ".join(OPTIMIZERS))
        self._check("precision", self.precision in PRECISIONS, " or ".join(PRECISIONS))

    def _check_whole(self, name: str, least: int) -> None:
        value = getattr(self, name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        self._check(name, whole and value >= least, f"a whole number of {least} or more")

    def _check(self, name: str, good: bool, expected: str) -> None:
        if not good:
            raise ValueError(f"{name} is {getattr(self, name)!r}: expected {expected}")


# What may differ between a run and its resumption, as it does not change the weights.
CADENCE = ("max_len", "device", "save_every", "keep", "log_every", "val_every", "report_seconds")


def say(line: str) -> None:
    """Print a line at once, also where the output is a file or a pipe."""
    print(line, flush=True)


def train(
    model: Model,
    vocabulary: Vocabulary,
    data: Data,
    config: TrainConfig | None = None,
    *,
    folder: str | Path | None = None,
    val: Data | None = None,
    resume: bool = True,
    report: Report | None = say,
) -> list[dict]:
    """Train `model` in place and return its history, a row every `log_every` steps.

    With a `folder`, checkpoints go to `folder`/checkpoints, and a run that was cut off there goes
    on from its newest whole one: on a CPU to the very bits of a run that was never cut off.
    Ctrl-C finishes the step, saves, says how to go on, and raises KeyboardInterrupt. The order of
    pictures and the choice of captions depend on (seed, step) alone; torch's own random state is
    left as it was. The model ends in eval mode, on the device that was used.

    Rows: step, loss (mean over the row's steps), lr, pictures_per_s, seconds, and val_loss where
    it was measured; losses are nats a token, <END> included, and a ranker's charges a sentence.

    Raises: ValueError where data, vocabulary, model and checkpoint do not fit together, and where
    the loss is no longer a finite number; OSError where a checkpoint cannot be written.
    """
    config, report = config or TrainConfig(), report or (lambda line: None)
    check_objective(model, config)
    device = pick_device(config.device)
    examples = _examples(model, vocabulary, data, config)
    held_out = None if val is None else _examples(model, vocabulary, val, config)
    folder = None if folder is None else Path(folder) / "checkpoints"
    run = _Run(model.to(device), vocabulary, config, folder, examples.fingerprint(), report)
    with _own_random_numbers(device, config.seed), _ctrl_c() as interrupted:
        run.begin(examples, resume)
        run.go(examples, held_out, interrupted)
    model.eval()
    return run.progress.history


def held_out_loss(model: Model, vocabulary: Vocabulary, data: Data, *, batch: int = 64) -> float:
    """Mean loss a token of every caption in `data`, each word predicted from the true ones before.

    Good for watching a run and for asking whether the pictures matter; captions are to be judged
    by generating them.
    """
    config = TrainConfig()
    return _mean_loss(model, _examples(model, vocabulary, data, config), batch, config)


def learning_rate(step: int, config: TrainConfig) -> float:
    """The rate of step 0, 1, ...: a line up to `lr`, then half a cosine down to final_lr * lr."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    low = config.lr * config.final_lr
    return low + (config.lr - low) * (1 + math.cos(math.pi * min(1.0, done))) / 2


# The run.


@dataclass
class _Progress:
    """How far a run is: the part of a checkpoint that is no tensor."""

    step: int = 0
    seconds: float = 0.0
    history: list[dict] = field(default_factory=list)
    row_loss: float = 0.0  # summed over the steps of the history row under way
    row_steps: int = 0
    expected: float | None = None  # the reward to expect: hard attention's baseline


class _Run:
    """A training run under way."""

    def __init__(self, model, vocabulary, config: TrainConfig, folder, data: str, report: Report):
        self.model, self.vocabulary, self.config = model, vocabulary, config
        self.folder, self.data, self.report = folder, data, report
        self.optimizer = _optimizer(model, config)
        self.share = _share(vocabulary, model.device)
        self.progress = _Progress()
        self.saved: Path | None = None

    def begin(self, examples: Examples, resume: bool) -> None:
        """Take up the newest whole checkpoint, or start anew."""
        weights = sum(p.numel() for p in self.model.parameters())
        self.report(
            f"training on {_named(self.model.device)}: {len(examples):,} pictures, "
            f"{len(examples.tokens):,} captions, {len(self.vocabulary):,} words, "
            f"{weights:,} weights"
        )
        saved, passed_over = newest_checkpoint(self.folder) if self.folder else (None, [])
        for problem in passed_over:
            self.report(f"passed over: {problem}")
        if saved is None:
            self._first_bias()
        elif resume:
            self._take_up(saved)
        else:
            raise ValueError(
                f"{self.folder} holds the checkpoints of a run (the newest is {saved.path.name}): "
                "resume it, remove it, or choose another folder"
            )

    def _first_bias(self) -> None:
        if not isinstance(self.model, Captioner):
            return
        if self.config.output_bias == "frequency":
            self.model.init_output_bias(self.vocabulary.counts)
        else:
            torch.nn.init.zeros_(self.model.output.bias)

    def go(self, examples: Examples, held_out: Examples | None, interrupted) -> None:
        """Train to the last step, saving on the way."""
        config, progress = self.config, self.progress
        batches = training_batches(
            examples,
            batch=config.batch,
            captions=config.captions,
            seed=config.seed,
            step=progress.step,
        )
        meter = _Meter(progress, config)
        while progress.step < config.steps:
            loss = self._train_step(next(batches))
            progress.row_loss, progress.row_steps = progress.row_loss + loss, progress.row_steps + 1
            progress.step += 1
            progress.seconds = meter.seconds
            self._record(held_out, meter.rate)
            if interrupted.is_set():
                self._stop_here()
            if progress.step % config.save_every == 0 or progress.step == config.steps:
                self._save()
            meter.tell(loss, self.report)
        self.report(f"trained {progress.step:,} steps in {_duration(progress.seconds)}")

    def _train_step(self, batch: Batch) -> float:
        device, config = self.model.device, self.config
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.progress.step, config) * group["share"]
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
            loss, value, self.progress.expected = training_loss(
                self.model, batch, config, self.share, self.progress.expected
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        value = value.item()
        if not math.isfinite(value) or not torch.isfinite(norm):
            raise ValueError(self._diverged(value, float(norm)))
        self.optimizer.step()
        return value

    def _diverged(self, loss: float, norm: float) -> str:
        config = self.config
        kept = f"the last good weights are in {self.saved}" if self.saved else "nothing was saved"
        return (
            f"step {self.progress.step + 1}: the loss is {loss} and the gradient's norm {norm}; "
            f"lower lr ({config.lr}) or clip ({config.clip}), lengthen warmup ({config.warmup}), "
            f"or use float32; {kept}"
        )

    def _record(self, held_out: Examples | None, pictures_per_s: float) -> None:
        """Add a row to the history where one is due."""
        progress, config = self.progress, self.config
        last = progress.step == config.steps
        measure = held_out is not None and (progress.step % config.val_every == 0 or last)
        if progress.step % config.log_every and not measure and not last:
            return
        row = {
            "step": progress.step,
            "loss": progress.row_loss / progress.row_steps,
            "lr": learning_rate(progress.step - 1, config),
            "pictures_per_s": round(pictures_per_s, 1),
            "seconds": round(progress.seconds, 2),
        }
        if measure:
            row["val_loss"] = _mean_loss(self.model, held_out, config.batch, config)
            self.report(f"step {progress.step:,}: loss {row['val_loss']:.3f} on held-out pictures")
        progress.history.append(row)
        progress.row_loss, progress.row_steps = 0.0, 0

    def _stop_here(self) -> None:
        self._save()
        kept = "nothing was saved, as train was given no folder"
        if self.saved:
            kept = f"saved in {self.saved}; start the same run again to go on from there"
        self.report(f"stopped after step {self.progress.step:,}: {kept}")
        raise KeyboardInterrupt

    def _save(self) -> None:
        if self.folder is None:
            return
        tensors = {
            "optimizer": _optimizer_tensors(self.optimizer),
            "rng": _rng_states(self.model.device),
        }
        facts = {
            "info": {"train": asdict(self.config), "step": self.progress.step},
            "data": self.data,
            "progress": asdict(self.progress),
        }
        self.saved = save_checkpoint(
            self.folder,
            self.progress.step,
            self.model,
            self.vocabulary,
            tensors,
            facts,
            keep=self.config.keep,
        )

    def _take_up(self, saved: Saved) -> None:
        _check_same_run(saved, self.model, self.vocabulary, self.config, self.data)
        load_weights(self.model, saved)
        _load_optimizer(self.optimizer, saved.tensors["optimizer"])
        _set_rng_states(saved.tensors["rng"], self.model.device)
        self.progress = _Progress(**saved.facts["progress"])
        self.saved = saved.path
        self.report(f"going on from {saved.path}, after step {self.progress.step:,}")


def _examples(model: Model, vocabulary: Vocabulary, data: Data, config: TrainConfig) -> Examples:
    if len(vocabulary) != model.config.vocab_size:
        raise ValueError(
            f"the vocabulary has {len(vocabulary)} words, the model {model.config.vocab_size}: "
            "build the model with vocab_size=len(vocabulary)"
        )
    examples = encode_examples(data, vocabulary, config.max_len)
    size = model.config.image_size
    features = model.config.image and model.config.frozen and examples.images.ndim == 3
    if model.config.image and not features and examples.images.shape[1:] != (size, size, 3):
        raise ValueError(
            f"pictures of {examples.images.shape[1:]}: the model expects {(size, size, 3)}; "
            "resize the pictures or set CaptionerConfig.image_size"
        )
    return examples


def _share(vocabulary: Vocabulary, device: torch.device) -> Tensor:
    """How often each word is to be predicted, each counted once more; they sum to 1."""
    counts = torch.as_tensor(vocabulary.counts, dtype=torch.float64) + 1
    return (counts / counts.sum()).float().to(device)


@torch.no_grad()
def _mean_loss(model: Model, examples: Examples, batch: int, config: TrainConfig) -> float:
    training, total, things = model.training, 0.0, 0
    model.eval()
    for part in batches_in_order(examples, batch):
        loss, count = held_out_part(model, part, config)
        total, things = total + loss * count, things + count
    model.train(training)
    return total / things


# What a checkpoint holds beside the weights.


def _optimizer(model: Model, config: TrainConfig) -> torch.optim.Optimizer:
    decay, groups = config.weight_decay, _groups(model, config)
    if config.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, config.lr, weight_decay=decay)
    return torch.optim.AdamW(groups, config.lr, weight_decay=decay, fused=True)


def _groups(model: Model, config: TrainConfig) -> list[dict]:
    """The weights that learn, those of the encoder apart where they have a rate of their own.

    `share` is a group's rate as a part of the others'.
    """
    learns = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if config.encoder_lr is None:
        return [{"params": list(learns.values()), "share": 1.0}]
    eyes = [weight for name, weight in learns.items() if name.startswith("encoder.")]
    if not eyes:
        raise ValueError(
            f"encoder_lr is {config.encoder_lr}, but this model has no encoder that learns: build "
            "it with frozen=False, or leave encoder_lr out"
        )
    rest = [weight for name, weight in learns.items() if not name.startswith("encoder.")]
    return [
        {"params": rest, "share": 1.0},
        {"params": eyes, "share": config.encoder_lr / config.lr},
    ]


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state by name: "3.exp_avg" is that of the fourth parameter."""
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})


def _rng_states(device: torch.device) -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = getattr(torch, device.type).get_rng_state(*_which(device))
    return states


def _set_rng_states(states: dict[str, Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type != "cpu" and device.type in states:
        getattr(torch, device.type).set_rng_state(states[device.type], *_which(device))


def _which(device: torch.device) -> tuple[torch.device, ...]:
    return (device,) if device.type == "cuda" else ()  # of MPS there is one


@contextmanager
def _own_random_numbers(device: torch.device, seed: int) -> Iterator[None]:
    """Random numbers that depend on `seed` alone; afterwards torch's own go on as before."""
    before = _rng_states(device)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        _set_rng_states(before, device)


def _check_same_run(
    saved: Saved, model: Model, vocabulary: Vocabulary, config: TrainConfig, data: str
) -> None:
    facts = saved.facts
    there, here = facts["info"]["train"], asdict(config)
    for kind, old, new in (
        ("model", type(model.config)(**facts["config"]).to_json(), model.config.to_json()),
        ("training", _without_cadence(asdict(TrainConfig()) | there), _without_cadence(here)),
        ("vocabulary", facts["vocabulary"], vocabulary.to_json()),
        ("data", {"fingerprint": facts["data"]}, {"fingerprint": data}),
    ):
        differs = next((name for name in old | new if old.get(name) != new.get(name)), None)
        if differs is not None:
            raise ValueError(
                f"{saved.path} belongs to another run, as its {kind} differs: {differs} is "
                f"{_short(old.get(differs))} there and {_short(new.get(differs))} here; give the "
                "same settings to go on with it, or choose another folder"
            )


def _without_cadence(config: dict) -> dict:
    return {name: value for name, value in config.items() if name not in CADENCE}


# Ctrl-C, and what is said on the way.


@contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets; a second Ctrl-C interrupts at once."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed  # only the main thread may handle signals
        return

    def handle(signum, frame):
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


class _Meter:
    """How fast a run goes and how long it will take, said every so often."""

    def __init__(self, progress: _Progress, config: TrainConfig):
        self.progress, self.config = progress, config
        self.first_step, self.before = progress.step, progress.seconds
        self.start = self.told = time.perf_counter()
        self.losses: list[float] = []

    @property
    def seconds(self) -> float:
        """Of the whole run, what came before a resumption included."""
        return self.before + time.perf_counter() - self.start

    @property
    def rate(self) -> float:
        """Pictures a second since the start or the resumption."""
        steps = self.progress.step - self.first_step
        return steps * self.config.batch / max(time.perf_counter() - self.start, 1e-9)

    def tell(self, loss: float, report: Report) -> None:
        self.losses.append(loss)
        now, step, steps = time.perf_counter(), self.progress.step, self.config.steps
        if now - self.told < self.config.report_seconds and step < steps:
            return
        mean, left = sum(self.losses) / len(self.losses), (steps - step) * self.config.batch
        report(
            f"step {step:,} of {steps:,}: loss {mean:.3f}, {self.rate:,.0f} pictures/s, "
            f"{_duration(left / self.rate)} left"
        )
        self.told, self.losses = now, []


def _named(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} threads" if device.type == "cpu" else str(device)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
