"""Accuracies of DeepSC-VQA as they were published: other data, another image encoder, their own SNR labels.

Symbols an image and a word are complex. On how their SNR is labelled: docs/conventions.md.
"""

from typing import Final, NamedTuple

SNRS_DB: Final = (-10, -5, 0, 5, 10, 15, 20)


class Published(NamedTuple):
    symbols_per_image: int
    symbols_per_word: int
    accuracy_percent: tuple[float, ...]
    """At each of `SNRS_DB`."""


DEEPSC_VQA: Final = (
    Published(394, 2, (20.7, 36.8, 55.6, 79.4, 86.0, 86.9, 87.0)),
    Published(788, 4, (18.5, 41.1, 75.2, 91.8, 93.7, 94.0, 94.1)),
    Published(1576, 6, (31.0, 53.5, 86.9, 93.6, 94.4, 94.5, 94.6)),
    Published(2364, 4, (24.0, 49.6, 83.7, 93.9, 94.7, 94.9, 94.9)),
    Published(3152, 10, (34.5, 66.6, 91.6, 94.1, 94.4, 94.5, 94.6)),
)
