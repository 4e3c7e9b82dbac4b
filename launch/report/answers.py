"""How right the answers were, by kind and family, beside their control."""

from collections.abc import Mapping
from typing import Any

from launch.report import plots
from launch.report.markup import section, table
from launch.scoring import MACRO_KINDS


def accuracy(summary: Mapping[str, Any]) -> str:
    if not summary["accuracy"]:
        return ""
    rows: list[list[str]] = []
    drawn = ""
    for task, found in summary["accuracy"].items():
        control = found.get("control", {})
        lines = [("all", found, control)]
        for group, label in (("by_kind", ""), ("by_family", "family ")):
            if len(found[group]) > 1:
                lines += [
                    (f"{label}{k}", v, control.get(group, {}).get(k, {})) for k, v in found[group].items()
                ]
        if "macro" in found:
            lines.append(("macro average", found["macro"], control.get("macro", {})))
        for name, line, erased in lines:
            right = f"{line['correct']} of {line['total']}" if "correct" in line else f"{line['total']}"
            rows.append([task, name, right, *_share(line), *_share(erased)])
        if "gain" in found:
            gain = found["gain"]
            interval = "{:+.1f} to {:+.1f}".format(*gain["interval95"]) if "interval95" in gain else ""
            rows.append(
                [
                    task,
                    f"gain over control ({gain['of']})",
                    "",
                    f"{gain['points']:+.1f} points",
                    interval,
                    "",
                    "",
                ]
            )
        if len(found["by_kind"]) > 1:
            drawn += f"<figure>{plots.accuracy_bars(found, MACRO_KINDS)}</figure>"
    headings = ["task", "kind", "right", "accuracy", "95%", "image erased", "95%"]
    note = (
        "<p>Control: the same replica, the same question, every image token erased. Captions are scored by "
        "F1 over (size, colour, material, shape). Intervals by bootstrap over images, by Wilson's formula "
        "where there are too few of them. Questions are counted here, deliveries above: one that failed or "
        "expired counts as wrong for each of its questions.</p>"
    )
    return section("Answers", drawn + table(headings, rows, text_columns=2) + note)


def _share(line: Mapping[str, Any]) -> list[str]:
    if "accuracy" not in line:
        return ["–", ""]
    low, high = line["interval95"]
    return [f"{100 * line['accuracy']:.1f}%", f"{100 * low:.1f} – {100 * high:.1f}"]
