"""What a request costs, read off a finished run."""

from collections import defaultdict

from launch.experiments.compute import Load
from launch.experiments.measure import Measured
from launch.run_files import read_run
from shared.semantic.bundle import Bundle
from shared.semantic.prompt import Prompts

_TOKENS = ("public_tokens", "private_tokens", "merged_tokens", "generated_tokens")


def per_request(run: Measured, name: str) -> float:
    """Of tokens, payload bytes or channel uses, all users together, divided by the requests attempted."""
    summary = run.summary
    total = summary["tokens"][name] if name in _TOKENS else summary["totals"][name]
    return float(total / summary["requests"]["attempted"])


def stage_ms(run: Measured, stage: str) -> float:
    """The median time of a stage, in milliseconds."""
    return float(run.summary["latency_ms"]["by_stage"][stage]["p50"])


def load_of(run: Measured) -> Load:
    """What a question of the run brings on average. Requests that arrive together are a group."""
    workload = read_run(run.folder).workload
    bundle = Bundle.load(run.summary["bundle"])
    prompts = Prompts(bundle.config, bundle.text_codec)
    groups: dict[float, set[str]] = defaultdict(set)
    for entry in workload:
        groups[entry["arrival_s"]].add(entry["image"])
    requests = len(workload)
    return Load(
        images=sum(map(len, groups.values())) / requests,
        sent=per_request(run, "public_tokens") + per_request(run, "private_tokens"),
        text=sum(len(prompts.text_ids(entry["text"])) for entry in workload) / requests,
        instruction=len(prompts.layout("vqa").instruction_ids),
        generated=per_request(run, "generated_tokens"),
    )
