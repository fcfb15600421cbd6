"""A compiled network with its weights: predict, measure, differentiate, train, save."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..backends import open_backend
from ..backends.llvm import MAKING
from ..checking import TEXT
from ..data.trained import Trained
from ..elaborate import LOSS, gradients, measuring, predicting
from ..engine.trainable import NonFinite
from ..errors import DivergedError, UsageError
from ..errors.constant import constant
from ..graph import Graph, Wire
from ..graph.kept import CARRIED, MEMORY
from ..program import Averages, Program
from ..syntax import tree
from . import copying, fitting, jacobian, judging, sampling, showing, slopes, updates
from . import gradcheck as gradients_check
from . import profile as profiling
from .asked import by_name, require_loss, wires
from .carried import Carried
from .description import description
from .lone import Lone
from .places import Places
from .port import Port
from .programs import Build, Programs
from .texts import taken
from .turn import DEEPEST, Turn, changing, inside, reading, refuse_while_making
from .update import TrainingStep, forget, regime_of
from .weights import Weights

if TYPE_CHECKING:
    from ..data import Vocabulary
    from ..engine.settings import Settings

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]
DTYPES = ("float32", "float64")


class Network:
    """What `graphdl.compile` returns.

    Threads may share it: its calls take turns, `fit` one for each batch. A signal's handler may
    ask it in the middle of another call; where it would change or read what that call is changing,
    that is a UsageError.

    >>> import graphdl
    >>> net = graphdl.compile("input -> linear(2, 3) -> softmax -> nll")
    >>> net.inputs["input"].shape, net.outputs["output"].shape
    ((2,), (3,))
    """

    def __init__(
        self,
        model: tree.Model,
        params: Mapping[str, Any],
        *,
        backend: str | None = None,
        dtype: str = "float32",
        seed: int = 0,
        drawn: bool = True,
    ) -> None:
        """`drawn` says whether weights are drawn, or stay zero because others will follow."""
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise UsageError(f"seed is a whole number from 0, not {constant(seed)}")
        if dtype not in DTYPES:
            raise UsageError(f"dtype is float32 or float64, not {constant(dtype)}")
        self.turn = Turn()
        self._backend = open_backend(backend)
        self._programs = Programs(model, params, self._backend, dtype, self.turn)
        self.graph: Graph = self._programs.predicting.graph
        self.dtype, self.seed = dtype, seed
        path = Path(model.source.name)
        self.places = Places(model=path.parent if path.is_file() else None)
        self.steps = 0
        self.draws = 0
        self.forget_training()
        self.awaits_vectors: set[str] = set()
        self.using = self._settings_of_file()
        self._regime = regime_of(self.using)
        self._weights = Weights(self.graph, self._backend, dtype)
        self.store = self._weights.store
        self._step: TrainingStep | None = None
        self.gathered = 0
        self._carried = Carried(self._backend, dtype)
        self.lone = Lone(self.graph)
        self.ports = {n: Port.of(s, dtype) for n, s in self.graph.inputs.items()}
        self.ports |= {n: Port.of(s, dtype, target=True) for n, s in self.graph.targets.items()}
        if drawn:
            self.initialise(seed)
        else:
            self._weights.clear()

    # ---- what it is --------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the model's file without its ending, or `model`."""
        written = self.syntax.source.name
        return "model" if written == TEXT else Path(written).stem

    @property
    def folder(self) -> Path | None:
        """Where the model's file is, and files it names are looked for; None for a text."""
        return self.places.model

    @property
    def syntax(self) -> tree.Model:
        """The syntax tree it was compiled from."""
        return self._programs.model

    @property
    def params(self) -> dict[str, Any]:
        """Values of the model's parameters."""
        return dict(self.graph.params)

    @property
    def backend(self) -> str:
        """`native`, `numpy` or `cupy`."""
        return self._backend.name

    @property
    def inputs(self) -> dict[str, Port]:
        """Shape and dtype of each input."""
        return {n: self.ports[n] for n in self.graph.inputs}

    @property
    def targets(self) -> dict[str, Port]:
        """Shape and dtype of each target."""
        return {n: self.ports[n] for n in self.graph.targets}

    @property
    def outputs(self) -> dict[str, Port]:
        """Shape and dtype of each output."""
        return {n: Port.of(self.graph.shaped(w), self.dtype) for n, w in self.graph.outputs.items()}

    def __repr__(self) -> str:
        count = sum(w.count for w in self.graph.weights.values() if w.kind == "weight")
        return f"<graphdl network {self.name}: {count:,} weights, {self.backend} {self.dtype}>"

    @property
    def default_lr(self) -> float | None:
        """The learning rate of the optimiser as written, None for a rule without one."""
        return self.training_step().rate

    # ---- weights -----------------------------------------------------------------------

    @changing
    def initialise(self, seed: int) -> None:
        """Draw all weights anew; steps count from 0 again, and names of data are forgotten."""
        self.forget_training()
        self.seed, self.steps, self.draws, self.gathered = seed, 0, 0, 0
        self._weights.initialise(seed, self.folder)
        weights = self.graph.weights.values()
        self.awaits_vectors = {w.name for w in weights if w.initial.name == "vectors"}
        if self._step is not None:
            self._step.reset(self.store)
        else:
            forget(self.store)

    def forget_training(self) -> None:
        """Forget what training taught beside the weights: settings, words, names of data."""
        self.trained_with: dict[str, Any] = {}
        self.vocabularies: dict[str, Vocabulary] = {}
        self.labels: dict[str, tuple[str, ...]] = {}
        self.trained = Trained()

    @property
    def weights(self) -> dict[str, Array]:
        """Every weight by name, as read-only arrays; assign with `net["name"] = array`."""
        return {n: self[n] for n in self._weights.learned()}

    def __getitem__(self, name: str) -> Array:
        """A weight or running statistic, read only; UsageError for a name that is neither."""
        return self._weights[name]

    @changing
    def __setitem__(self, name: str, value: ArrayLike) -> None:
        """Replace the values of a weight; one number fills it. DataError for another shape."""
        self._weights[name] = value

    # ---- running -----------------------------------------------------------------------

    def __call__(
        self, *arrays: ArrayLike, outputs: str | Iterable[str] = (), **named: ArrayLike
    ) -> dict[str, Array]:
        """Outputs by name, [examples, *shape], for a batch of inputs [examples, *shape].

        Inputs go by name, or in the order of the file. `outputs` names other nodes of the model
        to give as well, such as `["h"]`.

        Raises UsageError for unknown names, DataError for arrays that do not fit.
        """
        extra = (outputs,) if isinstance(outputs, str) else tuple(outputs)
        data = taken(self, self.inputs, by_name(self.graph, arrays, named), missing_ok=True)
        return self._run(("predict", extra), lambda m: predicting(m, wires(m.graph, extra)), data)

    loss = slopes.loss
    gradients = slopes.gradients

    @reading
    def differentiated(
        self, names: tuple[str, ...], training: bool, data: Arrays
    ) -> dict[str, Array]:
        """The loss of a batch as when training or predicting, and its gradients by some names."""
        require_loss(self.graph)
        if training and self.lone.joins:
            self.lone.check(data)
        run, regime = self._programs, self._regime if training else None
        key = ("gradients", names, regime and (regime.l1, regime.l2, regime.freeze))
        program = run.executable(key, lambda: gradients(run.worked_out(training), names, regime))
        return run.copies(program.run(self.store, run.device(data), self._scalars()))

    def step(self, lr: float | None = None, **batch: ArrayLike) -> float:
        """One update on a batch [examples, *shape]; returns the loss before it.

        `lr` overrides the optimiser's learning rate.

        Raises DivergedError when the loss, a gradient or what would be written is not finite: all
        is then as it was. UsageError for unknown and missing names, DataError for arrays that do
        not fit, ModelError where no weight can change the loss.
        """
        if self.turn.training:
            raise UsageError("`fit` is training this network: a step would come between its own")
        self.training_step().require_learning()
        try:
            return self.train_batch(taken(self, self.ports, batch), lr)[LOSS]
        except NonFinite as error:
            raise DivergedError(
                f"step {self.steps + 1}: {error}; the weights are those before this step"
            ) from None

    # ---- what the training loop asks (engine.Trainable) -----------------------------------

    def evaluate_batch(
        self, batch: Mapping[str, Array], *, fresh: bool | None = None, going: Array | None = None
    ) -> dict[str, float]:
        """Loss, each named loss and metric of a batch, as when predicting.

        False for `fresh` goes on with the states of the batch before, True begins them anew.
        """
        found = self._run("evaluate", lambda m: measuring(m)[0], batch, fresh, going)
        return self._programs.figures(found)

    @property
    @reading
    def averages(self) -> Averages:
        """How what `evaluate_batch` gives is gathered over batches."""
        return self._programs.averages()

    @property
    def training_averages(self) -> Averages:
        """How what `train_batch` gives is gathered over batches."""
        return self.training_step().averages

    def read(
        self, wires: dict[str, Wire], data: Arrays, fresh: bool | None, going: Array | None = None
    ) -> dict[str, Array]:
        """Values of some wires for a window: after the one before, anew, or (None) by itself."""
        key = ("read", tuple(wires))
        return self._run(key, lambda m: predicting(m, wires), data, fresh, going)

    def _run(
        self,
        key: object,
        build: Build,
        data: Mapping[str, Array],
        fresh: bool | None = None,
        going: Array | None = None,
    ) -> dict[str, Array]:
        """What a program gives for data: by themselves, or as a window after another."""
        run, turn = self._programs, self.turn
        # What `reading` does, in fewer calls.
        if MAKING:
            refuse_while_making()
        with turn.lock:
            if turn.changing or turn.depth > DEEPEST:
                raise inside()
            depth = turn.depth
            try:
                turn.depth = depth + 1
                scalars = {"seed": self.seed, "draw": self.draws}
                if fresh is None:
                    found = run.predicted(key, build, self.store, data, scalars)
                else:
                    found = run.continued(key, build, self.store, data, scalars, fresh, going)
                return run.copies(found)
            finally:
                turn.depth = depth

    @changing
    def use(self, settings: Settings) -> None:
        """Compile these settings into the training step from now on."""
        self.using, regime = settings, regime_of(settings)
        if regime != self._regime:
            self._regime, self._step = regime, None

    @reading
    def state(self) -> dict[str, Array]:
        """Host copies of all that training changes: w/weights, r/running values, o/optimiser."""
        if self.graph.losses:
            self.training_step()
        return self.held()

    @reading
    def held(self) -> dict[str, Array]:
        """The same of what there is: an optimiser that has made no step has nothing yet."""
        names = {
            n: f"{'w' if w.kind == 'weight' else 'r'}/{n}" for n, w in self.graph.weights.items()
        }
        kept = {names.get(k, k): self._programs.copy(v) for k, v in self.store.items()}
        return kept | self._carried.arrays

    @changing
    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Take over what `state` gave; states that the optimiser does not keep are dropped."""
        self.gathered = 0
        for key, array in arrays.items():
            if key.startswith(MEMORY):
                self.store[key] = self._backend.from_host(np.asarray(array, self.dtype))
            elif key.startswith(CARRIED):
                self._carried.arrays[key] = np.asarray(array, self.dtype)
            else:
                self._weights[key[2:]] = array
        if self._step is not None:
            self._step.settle(self.store)

    def description(self) -> dict[str, Any]:
        """What a checkpoint says of the network."""
        return description(self, self._programs.predicting.imports)

    @changing
    def program(self, stage: str = "program") -> Program:
        """The tensor program at a stage: program, backward or schedule (optimised).

        Raises UsageError for another stage, and for the last two where there is no loss.
        """
        return self._programs.stage(stage, self._regime)

    def training_step(self) -> TrainingStep:
        """What an update runs, compiled at the first one."""
        if self._step is None:
            with self.turn.lock:
                require_loss(self.graph)
                model = self._programs.elaborated(self._regime)
                step = TrainingStep(model, self._regime, self._backend, self.dtype)
                step.settle(self.store)
                self._step = step
        return self._step

    def _settings_of_file(self) -> Settings:
        from ..engine.settings import Settings

        return Settings.resolve(self.graph.settings)

    def _scalars(self) -> dict[str, float]:
        return {"seed": self.seed, "draw": self.draws}

    # ---- longer work: functions of a network, each in a file of its own ----------------------

    fit = fitting.fit
    train_batch = updates.train_batch
    train_batches = updates.train_batches
    blank = profiling.blank
    profile = profiling.profile
    kernels = profiling.kernels
    evaluate = judging.evaluate
    predict = judging.predict
    dataset = fitting.dataset
    sample = sampling.sample
    gradcheck = gradients_check.gradcheck
    jacobians = jacobian.jacobians
    show = showing.show
    __reduce__ = copying.reduced
    draw = showing.draw

    def save(self, path: str | Path) -> None:
        """Write a light checkpoint: weights, running statistics, the model's text and settings.

        Raises GdlError when nothing can be written; a file from before is then untouched.
        """
        from ..engine.checkpoint import save_checkpoint

        with self.turn.lock:
            save_checkpoint(Path(path), self, settings=self.trained_with, state=self.held())

    def __iter__(self) -> Iterator[str]:
        """Names of the weights."""
        return iter(self.weights)
