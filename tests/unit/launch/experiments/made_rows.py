"""Rows of a figure, with what a test says of them and the rest made up."""

from typing import Any

from launch.experiments.paper.sheets import SheetRow


def made_row(point: str, uses: float, accuracy: float, **values: Any) -> SheetRow:
    """Of scheme and size as `point` has them; `uses` a request of ten."""
    scheme = point.partition(":")[0] if ":" in point or not point[:1].isdigit() else "m4sc"
    head: dict[str, Any] = {
        "sheet": "vqa-awgn", "channel": "awgn", "users": 4, "overlap": 0.0, "snr_db": 15.0, "sharing": True,
        "seed": 1, "image_uses": None, "attempted": 10, "answered": 10, "degraded": 0, "failed": 0,
        "expired": 0, "refused": 0, "metric": "accuracy.vqa",
        "accuracy": accuracy, "accuracy_low": accuracy - 0.05,
        "accuracy_high": accuracy + 0.05, "n": 10, "downlink_uses": round(10 * uses), "public_uses": 0,
        "private_uses": round(10 * uses), "side_uses": 0, "pilots_uses": 0, "uses_per_request": uses,
        "uses_per_user_mean": 2.5 * uses, "uses_per_user_most": round(3 * uses),
        "wire_bytes": round(50 * uses),
        "payload_bytes": round(40 * uses), "wire_bytes_per_request": 5 * uses,
        "wire_bytes_per_user_mean": 12.5 * uses, "energy": 10 * uses, "command": f"m4sc run measure {point}",
    }  # fmt: skip
    row = {**head, **values}
    name = f"{point}-{row['users']}-{row['overlap']:g}-{row['snr_db']:g}-{row['sharing']}"
    return SheetRow(row=name, scheme="m4sc" if point == "all" else scheme, point=point, **row)
