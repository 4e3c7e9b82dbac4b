"""The workload of a run: what a configuration may say of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.config_section import Section

Task = Literal["vqa", "caption", "text_classification"]
PerS = Annotated[float, Field(gt=0.0, le=1e6)]


class WorkloadConfig(Section):
    """What the users ask, and when."""

    source: Literal["clevr_style", "clevr_folder", "imdb_file", "requests_file"] = "clevr_style"
    """Scenes rendered here, a folder of pictures, reviews, or a file of requests."""
    root: str | None = None
    """The folder or file of the source; of 'clevr_style' none is needed: pictures are rendered on demand."""
    split: str = "heldout"
    """Which part of the data."""
    requests: int = Field(16, ge=1, le=1_000_000)
    """Of all users together."""
    limit: int | None = Field(None, ge=1)
    """The first so many items of the source only: pictures, scenes or reviews; of a file, requests."""
    overlap: float = Field(0.0, ge=0.0, le=1.0)
    """The fraction of users asking about one common image in each round."""
    tasks: tuple[Task, ...] = ("vqa",)
    """What is asked in turn; one that is named twice is asked twice as often."""
    families: tuple[str, ...] = ("zero_hop",)
    """Of questions about images; 'all': the nine of CLEVR."""
    questions: Literal["written", "file"] = "written"
    """Of a folder: written on its scene graphs, or taken from its file."""
    fit_text: bool = False
    """Cut reviews to what the bundle accepts; otherwise long ones are left out."""
    questions_per_image: int = Field(6, ge=1, le=1_000)
    """How often a user asks about an image before it has another."""
    requests_per_s: PerS | Annotated[tuple[PerS, ...], Field(min_length=1, max_length=64)] | None = None
    """All users together; none: the next round follows when the last is served. A list cuts the run's time
    into equal parts, each at its own rate."""
    arrivals: Literal["rounds", "poisson"] = "rounds"
    """All users at once, in rounds; or each by itself, at random."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.arrivals == "poisson":
            if self.requests_per_s is None:
                raise ValueError("arrivals 'poisson' needs workload.requests_per_s")
            if self.source == "requests_file":
                raise ValueError("arrivals 'poisson': a file of requests says itself when they come")
            if self.overlap:
                raise ValueError("arrivals 'poisson' needs overlap 0: nobody asks together with others")
        return self

    @property
    def rates_per_s(self) -> tuple[float, ...]:
        """Of the equal parts of the run's time; none: arrivals are virtual."""
        given = self.requests_per_s
        if given is None:
            return ()
        return given if isinstance(given, tuple) else (given,)

    @property
    def asked_tasks(self) -> tuple[str, ...]:
        """What is asked for sure; a file of requests says so itself, later."""
        if self.source == "requests_file":
            return ()
        return ("text_classification",) if self.source == "imdb_file" else self.tasks

    @property
    def may_ask_about_images(self) -> bool:
        """Whether the tasks allow it; a file of requests says itself what is asked."""
        return self.source == "requests_file" or (self.source != "imdb_file" and "vqa" in self.tasks)
