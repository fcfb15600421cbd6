"""The training loop: batches, epochs, validation, checkpoints, and every reason to stop."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ..data.feed import Fed, Feed
from ..errors import DivergedError, UsageError, did_you_mean
from ..graph.kept import NOT_WEIGHTS
from ..program import Averages
from . import checks
from .average import PLAIN
from .checkpoint import save_checkpoint
from .evaluate import evaluate
from .history import Ending, Progress, Record, lower_is_better
from .interrupt import Interrupt
from .listener import Listener
from .reporter import PER_SECOND, Clock
from .run_folder import RunFolder
from .schedule import Moment
from .settings import Settings
from .stretch import Stretches
from .trainable import Arrays, NonFinite, Trainable

SAVE_GAP = 1.0  # seconds: epochs shorter than this share a checkpoint


@dataclass(slots=True)
class Loop:
    """One run; `progress` is at every moment what a checkpoint needs to go on.

    `steps` are the batches of its epoch.
    Checkpoints are written between updates only, never within a group of accumulated batches.
    """

    trainable: Trainable
    feed: Feed
    validation: Feed | None
    settings: Settings
    progress: Progress
    reporter: Listener
    folder: RunFolder | None
    clock: Clock
    limit: int | None = None
    best: Arrays | None = None
    best_counts: tuple[int, int] = (0, 0)
    best_is_saved: bool = True
    began: float = 0.0
    saved: float = 0.0
    saved_step: int = 0
    steps: int = 0
    interrupt: Interrupt = field(init=False)
    settings_json: dict[str, Any] = field(init=False)

    def run(self) -> Ending:
        """Trains until there is a reason to stop, and says which."""
        self.settings_json = self.settings.to_json()
        self.began = self.saved = self.clock()
        self.saved_step = self.progress.step
        self.steps = self.feed.steps(self.progress.origin + self.progress.epoch)
        with Interrupt(self.reporter.note) as self.interrupt:
            ending = self._ended()
            while ending is None:
                ending = self._epoch() or self._ended()
            self.save()
        self._announce(ending)
        return ending

    def _ended(self) -> Ending | None:
        if self.progress.waited_more_than(self.settings.patience):
            return "early stop"
        return "finished" if self.progress.epoch > self.settings.epochs else None

    def _epoch(self) -> Ending | None:
        at, began = self.progress, self.clock()
        counted = at.average.count
        self.steps = self.feed.steps(at.origin + at.epoch)
        self.reporter.start(at.epoch, self.settings.epochs, at.position, self.steps, counted)
        # The first batch of all says what is measured; then as many at once as can be.
        first = 1 if at.step == at.position == 0 else 0
        if ending := self._one_by_one(first) or self._at_once() or self._one_by_one(None):
            return ending
        seconds = self.clock() - began
        judged = self._validate()
        if judged is None:
            return "interrupted"
        self._close(judged, seconds, at.average.count - counted)
        return self._ended() or self._reason_to_stop()

    def _one_by_one(self, most: int | None) -> Ending | None:
        """The rest of this epoch, or so many batches of it."""
        at = self.progress
        for fed in islice(self.feed.batches(at.origin + at.epoch, at.position), most):
            self._batch(fed)
            if self._between_updates():
                if ending := self._reason_to_stop():
                    return ending
                if self._save_is_due():
                    self.save()
        return None

    def _at_once(self) -> Ending | None:
        """As many batches of this epoch as the network takes several at a time."""
        at = self.progress
        together = getattr(self.trainable, "train_batches", None)
        stretches = Stretches.of(self.feed, at.origin + at.epoch) if together else None
        if stretches is None or together is None or self.settings.accumulate > 1:
            return None
        while at.step:
            rate = self._rate()
            most = self._until_something_is_due(rate, stretches.count)
            count, batches = stretches.take(at.position, most) if most > 1 else (0, {})
            if not count:
                return None
            began = self.clock()
            values = together(batches, rate, count)
            if values is None:
                return None
            at.rate = rate
            stretches.lasted(count, self.clock() - began)
            done = self._add(values, stretches.batch, batches, count)
            if done:
                self.reporter.batch(at.position, at.average.count, self._means)
            if ending := self._reason_to_stop():
                return ending
            if self._save_is_due():
                self.save()
            if done < count:
                # The next one is not finite: by itself, it says where that began.
                return None
        return None

    def _add(self, values: dict[str, Any], weight: int, batches: dict[str, Any], times: int) -> int:
        """Count the values of some batches in; how many there were."""
        at = self.progress
        listed = {name: of if of.ndim > 1 else of.tolist() for name, of in values.items()}
        done = at.average.add_all(listed, weight, self._how(), batches, times)
        at.position += done
        at.step += done
        return done

    def _how(self) -> Averages:
        """How figures of training batches are gathered: asked only once a batch was trained."""
        return getattr(self.trainable, "training_averages", PLAIN)

    def _means(self) -> dict[str, float]:
        return self.progress.average.means(self._how())

    def _until_something_is_due(self, rate: float | None, most: int) -> int:
        """How many updates there are before a checkpoint, or another learning rate."""
        every = self.settings.save_every
        if isinstance(every, int):
            most = min(most, self.saved_step + every - self.progress.step)
        if self.settings.schedule is not None:
            same = (n for n in range(1, most) if self._rate(n) != rate)
            most = next(same, most)
        return max(1, most)

    def _batch(self, fed: Fed) -> None:
        at = self.progress
        group, last = self.settings.accumulate, self.steps
        closes = (at.position + 1) % group == 0 or at.position + 1 == last
        if at.position % group == 0:
            at.rate = self._rate()
        try:
            values = self.trainable.train_batch(
                fed.batch, at.rate, last_of_group=closes, fresh=fed.fresh, going=fed.going
            )
        except NonFinite as error:
            raise self._diverged(error) from error
        if not math.isfinite(values.get("loss", 0.0)):
            raise self._diverged(NonFinite())
        if at.step == 0 and at.position == 0:
            self._check_monitor(values)
        at.average.add(values, fed.weight, self._how(), fed.batch)
        at.position += 1
        at.step += closes
        self.reporter.batch(at.position, at.average.count, self._means)

    def _rate(self, ahead: int = 0) -> float | None:
        """The learning rate of the next update, or of one so many after it."""
        schedule = self.settings.schedule
        base = self.settings.lr
        if schedule is None:
            return base
        base = getattr(self.trainable, "default_lr", None) if base is None else base
        if base is None:
            raise UsageError("a schedule needs a learning rate: write `lr` in the optimizer")
        at, per_epoch = self.progress, -(-self.steps // self.settings.accumulate)
        moment = Moment(at.epoch, at.step + ahead, per_epoch, self.settings.epochs, at.monitored)
        return schedule.rate(base, moment)

    def _between_updates(self) -> bool:
        at = self.progress.position
        return at % self.settings.accumulate == 0 or at == self.steps

    def _reason_to_stop(self) -> Ending | None:
        if self._is_asked_to_stop():
            return "interrupted"
        limit = self.settings.time_limit
        return "time limit" if limit and self.clock() - self.began >= limit else None

    def _is_asked_to_stop(self) -> bool:
        return bool(self.interrupt.asked) or self.reporter.lost is not None

    def _save_is_due(self) -> bool:
        every = self.settings.save_every
        if isinstance(every, int):
            return self.progress.step - self.saved_step >= every
        return self.clock() - self.saved >= checks.duration(every)

    def _validate(self) -> dict[str, float] | None:
        if self.validation is None:
            return {}
        return evaluate(
            self.trainable,
            self.validation,
            carry=self.settings.carries_in_evaluation,
            limit=self.limit,
            stop=self._is_asked_to_stop,
        )

    def _close(self, judged: dict[str, float], seconds: float, counted: int) -> None:
        at, means = self.progress, self._means()
        record: Record = {"epoch": at.epoch, "step": self.trainable.steps}
        record |= {"lr": at.rate} if at.rate is not None else {}
        record |= means
        record |= {f"validation_{name}": value for name, value in judged.items()}
        record["seconds"] = round(seconds, 3)
        record[self.feed.unit + PER_SECOND] = round(counted / max(seconds, 1e-9), 1)
        name = self.settings.monitor
        watched = (judged or means).get(name, math.nan)
        improved = at.close_epoch(record, watched if lower_is_better(name) else -watched)
        if self.folder:
            self.folder.append(record, at.records)
        if improved and (self.folder or self.validation is not None):
            state = self.trainable.state()
            self.best = {key: state[key] for key in state if not key.startswith(NOT_WEIGHTS)}
            self.best_counts = self.trainable.steps, self.trainable.draws
            self.best_is_saved = False
        self.reporter.epoch(record, improved)
        if self.clock() - self.saved >= SAVE_GAP:
            self.save()

    def save(self) -> None:
        """Writes the checkpoint to resume from, if there is a folder, and the best before it."""
        self.saved, self.saved_step = self.clock(), self.progress.step
        if not self.folder:
            return
        records, best = self.progress.records, self.progress.best_epoch
        if best and not self.best_is_saved:
            save_checkpoint(
                self.folder.best,
                self.trainable,
                settings=self.settings_json,
                record=records[best - 1],
                state=self.best,
                counts=self.best_counts,
            )
            self.best_is_saved = True
        save_checkpoint(
            self.folder.last,
            self.trainable,
            settings=self.settings_json,
            record=records[-1] if records else None,
            progress=self.progress,
        )

    def _check_monitor(self, values: dict[str, float]) -> None:
        name = self.settings.monitor
        if name not in values:
            known = [one for one in values if one not in self._how().values]
            hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise UsageError(f"`monitor` names `{name}`, which is not measured; {hint}")

    def _diverged(self, found: NonFinite) -> DivergedError:
        at = self.progress
        saved = self.folder and self.folder.last.is_file()
        hint = "a smaller `lr`, or `clip` in `train`, often helps"
        if found.what == "the gradient":
            hint = "a slope without bound, as of `sqrt` at 0, wants an eps: `sqrt(x + 1e-6)`"
        return DivergedError(
            f"{found.what} is not finite at epoch {at.epoch}, step {at.step + 1}{found.source}\n"
            "  the weights are those before this step"
            + (f"; the last checkpoint is {self.folder.last}" if self.folder and saved else "")
            + f"\n  = hint: {hint}"
        )

    def _announce(self, ending: Ending) -> None:
        at = self.progress
        waited = len(at.monitored) - (at.best_epoch or 0)
        saved = f"; saved {self.folder.last}" if self.folder else ""
        place = f"at epoch {at.epoch}, batch {at.position}/{self.steps}{saved}"
        match ending:
            case "early stop":
                none = f"no better {self.settings.monitor} for {waited} epochs"
                self.reporter.note(f"stopped early: {none} since epoch {at.best_epoch}")
            case "time limit" | "interrupted":
                self.reporter.note(f"{ending} {place}")
