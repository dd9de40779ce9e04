"""The gate: rules that a run must keep, beside a baseline or by themselves, with an answer for a machine.

A run that misses a rule beside a baseline is stopped only if chance does not explain it: two runs of one configuration
differ by the noise of a model or a clock, and of those at most one in twenty is stopped (one-sided paired
randomisation, Holm over the rules).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from .comparing import Difference, compare, written_p
from .errors import EvalError
from .glossary import TERMS
from .reporting import DECIMALS
from .runs import Run
from .statistics import holm
from .tables import figure, print_note, print_table

CHANCE = 0.05
EXAMPLE = 'Write it like "RR@10 >= baseline - 0.01" or "Violations <= 0".'
NOTE = (
    "A rule beside the baseline stops a run where it is missed and chance explains that in fewer than {chance:.0%} of "
    "cases (one-sided paired randomisation, Holm over the rules); where chance may explain it, it passes with a word. "
    "With --strict, and where a rule asks for a gain, a miss is a miss."
)

_RULE = re.compile(
    r"\s*(?P<measure>.+?)\s*(?P<sign>>=|<=)\s*(?:(?P<baseline>baseline)\s*(?:(?P<operator>[-+*])\s*(?P<by>\d*\.?\d+))?"
    r"|(?P<number>-?\d*\.?\d+))\s*"
)

Outcome = Literal["kept", "missed by chance", "missed"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a measure must be: at least or at most a number, which may be reckoned from the baseline's own."""

    written: str
    measure: str
    at_least: bool
    number: float
    operator: str = ""

    @classmethod
    def read(cls, written: str) -> Rule:
        """Read a rule as a person writes it. Raises `EvalError`."""
        match = _RULE.fullmatch(written)
        if match is None:
            raise EvalError(f"The rule {written!r} is not understood. {EXAMPLE}")
        if match["measure"] not in TERMS:
            near = difflib.get_close_matches(match["measure"], TERMS, n=3, cutoff=0.4) or [*TERMS][:5]
            raise EvalError(
                f"The rule {written!r} names no measure. Did you mean {' or '.join(near)}? eval/README.md has them all."
            )
        at_least = match["sign"] == ">="
        if not match["baseline"]:
            return cls(written.strip(), match["measure"], at_least, float(match["number"]))
        return cls(written.strip(), match["measure"], at_least, float(match["by"] or 0), match["operator"] or "+")

    def limit(self, baseline: float) -> float:
        """Give the number that the measure is held against."""
        signed = {"+": baseline + self.number, "-": baseline - self.number, "*": baseline * self.number}
        return signed.get(self.operator, self.number)

    def asks_gain(self, baseline: float, limit: float) -> bool:
        """Say whether the baseline itself would miss the rule, so that a miss cannot be put down to its noise."""
        return not self.is_kept(baseline, limit)

    def is_kept(self, value: float, limit: float) -> bool:
        """Say whether a value keeps the rule."""
        return value >= limit - 1e-9 if self.at_least else value <= limit + 1e-9


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one rule; `p` is how often chance alone goes so far the wrong way from the baseline."""

    rule: str
    value: float
    limit: float
    baseline: float | None
    p: float | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of all rules."""

    judgements: tuple[Judgement, ...]

    @property
    def passes(self) -> bool:
        """Whether the run may go on."""
        return all(one.outcome != "missed" for one in self.judgements)

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {"passes": self.passes, "rules": [asdict(one) for one in self.judgements]}


def judge(run: Run, baseline: Run | None, rules: Sequence[Rule], *, strict: bool = False) -> Verdict:
    """Hold a run against rules. Raises `EvalError` where one cannot be held against it."""
    if not rules:
        raise EvalError(f"There is no rule to keep. Give one with --rule. {EXAMPLE}")
    if baseline is None and (relative := next((rule for rule in rules if rule.operator), None)):
        raise EvalError(f"The rule {relative.written!r} needs a baseline. Give a run with --baseline.")
    moved = {}
    if baseline is not None and (names := [rule.measure for rule in rules if rule.operator]):
        moved = {one.measure: one for one in compare(baseline, run, measures=names).differences}
    return hold(rules, run.scores().means(), moved, strict=strict)


def hold(
    rules: Sequence[Rule], own: Mapping[str, float], moved: Mapping[str, Difference], *, strict: bool = False
) -> Verdict:
    """Hold the figures of a run, and what moved from the baseline, against rules. Raises `EvalError`."""
    judgements = [_judge_one(rule, own, moved) for rule in rules]
    return Verdict(tuple(judgements if strict else _forgiven(judgements)))


def print_verdict(verdict: Verdict) -> None:
    """Print what became of the rules for a person."""
    print_table(("rule", "value", "limit", "baseline", "p", ""), map(_cells, verdict.judgements))
    if any(one.p is not None for one in verdict.judgements):
        print_note(NOTE.format(chance=CHANCE))
    print("The run passes." if verdict.passes else "The run does not pass.")


def _judge_one(rule: Rule, own: Mapping[str, float], moved: Mapping[str, Difference]) -> Judgement:
    if rule.operator:
        if rule.measure not in moved:
            raise EvalError(f"{rule.measure} is not there in both runs. Give a rule on a measure that both have.")
        found = moved[rule.measure]
        limit = rule.limit(found.a)
        outcome: Outcome = "kept" if rule.is_kept(found.b, limit) else "missed"
        p = None if rule.asks_gain(found.a, limit) else found.p_down if rule.at_least else found.p_up
        return Judgement(rule.written, found.b, limit, found.a, p, outcome)
    if rule.measure not in own:
        raise EvalError(f"{rule.measure} is not there in the run. Give a rule on a measure that it has.")
    kept = rule.is_kept(own[rule.measure], rule.number)
    return Judgement(rule.written, own[rule.measure], rule.number, None, None, "kept" if kept else "missed")


def _forgiven(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Let pass what chance may explain."""
    given = [one for one in judgements if one.p is not None]
    raised = dict(zip(map(id, given), holm([one.p or 0.0 for one in given]), strict=True))
    return [
        replace(one, outcome="missed by chance")
        if one.outcome == "missed" and raised.get(id(one), 0) >= CHANCE
        else one
        for one in judgements
    ]


def _cells(one: Judgement) -> list[str]:
    decimals = DECIMALS.get(TERMS[Rule.read(one.rule).measure].unit, 3)
    numbers = (figure(value, decimals) for value in (one.value, one.limit, one.baseline))
    return [one.rule, *numbers, "-" if one.p is None else written_p(one.p), one.outcome]
