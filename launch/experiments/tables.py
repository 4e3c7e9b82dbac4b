"""The five tables of the ablations, each from the runs that it needs."""

from collections.abc import Callable
from typing import Final

from launch.experiments.compute import base_station, user_equipment
from launch.experiments.costs import load_of, per_request, stage_ms
from launch.experiments.measure import Condition, Measured, conditions
from launch.experiments.paired import Difference, paired_difference
from launch.experiments.recommend import RULE, Cut, recommend
from launch.experiments.table import Cell, Row, Table, number_cell, points_cell, share_cell
from launch.experiments.variants import (
    MLP,
    NO_JOINT,
    REFERENCE,
    TRAINED,
    Source,
    alone,
    projector_parameters,
    split,
    variants_of,
)

#: (name of a variant, condition) -> its run, there already or done now.
Measure = Callable[[str, Condition], Measured]
SNR_DB: Final = (0, 5, 10, 15, 20)
RAYLEIGH_DB: Final = 15
OWN_DB: Final = 15
"""Of the configurations that are run where nothing else is said."""
OVERLAP: Final = 0.5
TASKS: Final = {"vqa": "questions", "caption": "captions (F1 of objects)", "text_classification": "reviews"}
VQA_NOTE: Final = (
    "Questions: the mean over CLEVR's nine families, scenes not used in training. Intervals are 95%, "
    "resampled by image; differences are paired, in points."
)
SPLIT_NOTES: Final = (
    f"Four users, {OVERLAP:.0%} of them asking about one common image; everything is per request unless it "
    "says otherwise, times are medians on the machine that ran it.",
    "Phases 1 and 2 are those of the default split; phase 3 is trained anew for every k. Below k image "
    "tokens see BOS and image, generated tokens at the UE see BOS, instruction and generated tokens; from k "
    "on all see all before them. So the UE needs no keys and values from the base station, and a larger k "
    "leaves an answer fewer layers that look at the picture. The layer whose attention is hinted in training "
    "is the fifth whatever k is.",
)


class Tables:
    """Makes tables for one source of variants, with `questions` requests a run."""

    def __init__(self, source: Source, questions: int, share: float, measure: Measure) -> None:
        self._source = source
        self._on = conditions(questions)
        self._variants = variants_of(source, share)
        self._measure = measure

    def make(self, group: str) -> Table:
        return {
            "projector": self.projector,
            "tasks": self.tasks,
            "joint": self.joint,
            "split": self.split,
            "traces": self.traces,
        }[group]()

    def projector(self) -> Table:
        """KAN against a perceptron of as many parameters."""
        rows: dict[str, dict[str, Cell]] = {"KAN": {}, "MLP": {}, "KAN minus MLP": {}}
        for label, name in (("KAN", REFERENCE), ("MLP", MLP)):
            parameters = projector_parameters(self._variants[name].config)
            rows[label]["projector's parameters"] = number_cell(parameters)
        for task, column in TASKS.items():
            kan, mlp = (self._measure(name, self._on[task]) for name in (REFERENCE, MLP))
            rows["KAN"][column] = share_cell(kan.figure, kan.command)
            rows["MLP"][column] = share_cell(mlp.figure, mlp.command)
            rows["KAN minus MLP"][column] = self._difference(kan, mlp)
        note = "The MLP has two linear layers and GELU; both kinds train at the recipe's learning rates."
        return Table(title="Projector", rows=_rows(rows), notes=(VQA_NOTE, note))

    def tasks(self) -> Table:
        """One model for all tasks against one model each."""
        rows: dict[str, dict[str, Cell]] = {}
        for task, label in TASKS.items():
            every, one = (self._measure(name, self._on[task]) for name in (REFERENCE, alone(task)))
            rows[label] = {
                "all tasks": share_cell(every.figure, every.command),
                "this task alone": share_cell(one.figure, one.command),
                "all minus alone": self._difference(every, one),
            }
        note = (
            "Trained alone, a task gets as many steps; captions and reviews are then in every step instead "
            "of every fourth and third."
        )
        return Table(title="Tasks together and alone", rows=_rows(rows), notes=(VQA_NOTE, note))

    def joint(self) -> Table:
        """With phase 3, and with what it starts from: phase 2 and principal components as channel codec."""
        rows: dict[str, dict[str, Cell]] = {}
        for label, condition in self._airs().items():
            with_it, without = (self._measure(name, condition) for name in (REFERENCE, NO_JOINT))
            rows[label] = {
                "with phase 3": share_cell(with_it.figure, with_it.command),
                "without": share_cell(without.figure, without.command),
                "with minus without": self._difference(with_it, without),
            }
        note = (
            "Without phase 3 the projector and the language model are as phase 2 left them, and the channel "
            "codec is the principal components of the tokens that it carries."
        )
        return Table(title="Joint training through the channel", rows=_rows(rows), notes=(VQA_NOTE, note))

    def _airs(self) -> dict[str, Condition]:
        """Questions at several SNRs; at the configuration's own, the run that the other tables use."""
        vqa = self._on["vqa"]
        airs = {
            f"AWGN {snr} dB": vqa if snr == OWN_DB else vqa.but(f"vqa_awgn_{snr}", f"channel.snr_db={snr}")
            for snr in SNR_DB
        }
        fading = vqa.but(
            f"vqa_rayleigh_{RAYLEIGH_DB}", "channel.model=rayleigh", f"channel.snr_db={RAYLEIGH_DB}"
        )
        return {**airs, f"Rayleigh {RAYLEIGH_DB} dB": fading}

    def split(self) -> Table:
        """Every cut below the last layer, phase 3 trained for it."""
        config = self._source.config
        shared = self._on["vqa"].but("vqa_overlap", f"workload.overlap={OVERLAP}")
        runs = {k: self._measure(split(config, k), shared) for k in range(config.llm.layers)}
        best = max(runs, key=lambda k: runs[k].figure.value)
        rows: dict[str, dict[str, Cell]] = {}
        cuts = []
        for k, run in runs.items():
            variant, load = self._variants[split(config, k)], load_of(run)
            bs, ue = base_station(variant.config, load), user_equipment(variant.config, load)
            loss = paired_difference(run.folder, runs[best].folder, run.summary["seed"])
            cuts.append(Cut(k, loss.is_worse, bs + ue, per_request(run, "payload_bytes")))
            numbers = {
                "public tokens": per_request(run, "public_tokens"),
                "private tokens": per_request(run, "private_tokens"),
                "merged tokens": per_request(run, "merged_tokens"),
                "BS, M multiply-adds": bs / 1e6,
                "UE, M multiply-adds": ue / 1e6,
                "BS encode, ms a group": stage_ms(run, "encode"),
                "UE decode, ms": stage_ms(run, "decode"),
                "payload bytes": per_request(run, "payload_bytes"),
                "channel uses": per_request(run, "channel_uses"),
            }
            rows[f"k = {k}"] = {
                "questions": share_cell(run.figure, run.command),
                "minus the best": points_cell(loss, run.command, runs[best].command),
                **{name: number_cell(value, run.command, run.figure.n) for name, value in numbers.items()},
            }
        return Table(
            title="Where the language model is cut (split_layer)",
            rows=_rows(rows),
            notes=(VQA_NOTE, *SPLIT_NOTES),
            conclusion=f"Recommended: k = {recommend(cuts)}. {RULE}",
        )

    def traces(self) -> Table:
        """The run's own bundle, which has seen questions with and without a trace."""
        vqa = self._on["vqa"]
        with_it = self._measure(TRAINED, vqa)
        without = self._measure(TRAINED, vqa.but("vqa_direct", "reasoning=false"))
        rows = {
            label: {
                "questions": share_cell(run.figure, run.command),
                "generated tokens": number_cell(
                    per_request(run, "generated_tokens"), run.command, run.figure.n
                ),
                "UE decode, ms": number_cell(stage_ms(run, "decode"), run.command, run.figure.n),
            }
            for label, run in (("with a trace", with_it), ("without", without))
        }
        rows["with minus without"] = {"questions": self._difference(with_it, without)}
        note = "The same weights, of the run's whole recipe; `reasoning: false` leaves the trace out."
        return Table(title="Reasoning traces", rows=_rows(rows), notes=(VQA_NOTE, note))

    def _difference(self, one: Measured, other: Measured) -> Cell:
        found: Difference = paired_difference(one.folder, other.folder, one.summary["seed"])
        return points_cell(found, one.command, other.command)


def _rows(cells: dict[str, dict[str, Cell]]) -> tuple[Row, ...]:
    return tuple(Row(label=label, cells=found) for label, found in cells.items())
