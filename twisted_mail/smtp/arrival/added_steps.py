"""Steps of plugins, put between those of a service."""

from collections.abc import Iterable, Sequence

from twisted_mail.smtp.backend import AddedStep, ArrivalStep


def with_added(
    steps: Sequence[ArrivalStep], added: Iterable[AddedStep], service: str
) -> tuple[ArrivalStep, ...]:
    """Return the steps of a service with those that plugins add to it, in the order given.

    Raises ValueError for one that stands at a step that is not there, or after ``accept``, the last but
    one: what fails then would be answered with a refusal of a message that was accepted.
    """
    placed = list(steps)
    for one in added:
        if service in one.services:
            placed.insert(_position(placed, one), one.step)
    return tuple(placed)


def _position(steps: Sequence[ArrivalStep], added: AddedStep) -> int:
    names = [step.name for step in steps]
    at = names.index(name) if (name := added.before or added.after) in names else len(names)
    position = at if added.before else at + 1
    if position > len(names) - 2:
        place = f"before {name!r}" if added.before else f"after {name!r}"
        raise ValueError(
            f"{added.step.name!r} cannot stand {place}: the steps are {' '.join(names)}"
        )
    return position
