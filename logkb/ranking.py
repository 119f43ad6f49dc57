"""Matches + predictions -> one probability a cause, through the cause graph.

Each match speaks in log-odds: what its rule is worth, where it stands, in which step. A cause takes its best match
and a little for each other rule that agrees, and the classifier's word. The graph moves weight from a symptom to a deeper
cause that has evidence of its own; without such evidence the deeper causes are named as possible. What is left is `unknown`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logkb.records import Cause, Match, Prediction, Ranked, Role

MIN_CONFIDENCE = 0.01
TESTS = "test-failure"
# Runners and linters end with a sum ("3 failed"), which is the surest sign; people look for the names above it.
NAMED = "tests"
MAX_EVIDENCE = 6
MAX_AGREEMENT = 3
# Lines behind the verdict belong to the clean-up, except the few that a builder prints as its summary.
SUMMARY_LINES = 30
NEAR_LINES, FAR_LINES, REMOTE_LINES = 150, 1000, 5000
EXPLAINS_WITHIN = 200
# The classifier is asked how much likelier than this a cause is; below and above, its word is cut.
PRIOR = 0.02
MOST_AGAINST, MOST_FOR = -1.0, 4.0
# Without a rule beside it, the classifier must be at least this sure to name a cause.
ALONE = 0.3


@dataclass(frozen=True, slots=True)
class Weights:
    """The joining's constants, in log-odds. `logkb evaluate` measures them; docs/accuracy.md tells how they were fitted."""

    strong: float = 2.7
    medium: float = 0.6
    weak: float = -3.2
    error: float = 0.3
    warning: float = -1.5
    cleanup: float = -0.8
    near: float = 1.3
    far: float = 0.3
    remote: float = -0.8
    same_step: float = 0.4
    other_step: float = -0.3
    unclear: float = -4.5
    agreement: float = 0.1
    # What fails first near the end of a build makes the rest fail: the earliest of the decisive lines gets a little more.
    first: float = 0.5
    decisive: float = 2.5
    classifier: float = 0.15
    classifier_alone: float = -2.4
    symptom: float = -3.2
    deeper: float = 0.6
    # The share of a symptom's probability that goes to deeper causes which the log does not show.
    possible: float = 0.25
    unknown: float = -1.8


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the build died: the line and the step of the last verdict, how long the log is, whether it failed for sure."""

    line: int
    step: str | None
    lines: int
    clear: bool


@dataclass(slots=True)
class _Board:
    """The state of one ranking: log-odds and their reasons, a cause at a time."""

    logits: dict[str, float]
    reasons: dict[str, list[str]]

    def add(self, cause: str, value: float, reason: str) -> None:
        self.logits[cause] = self.logits.get(cause, 0.0) + value
        self.reasons.setdefault(cause, []).append(f"{value:+.2f} {reason}")


def rank(
    matches: Sequence[Match],
    predictions: Sequence[Prediction],
    causes: Mapping[str, Cause],
    scene: Scene,
    weights: Weights | None = None,
) -> tuple[tuple[Ranked, ...], float]:
    """The causes with evidence or a prediction, most probable first, and the probability that none of them is it."""
    made = weights or Weights()
    by_cause: dict[str, list[Match]] = {}
    for match in matches:
        if match.rule.cause is not None:
            by_cause.setdefault(match.rule.cause, []).append(match)
    worth = {id(match): _worth(match, scene, made) for group in by_cause.values() for match in group}
    ordered = {cause: sorted(group, key=lambda match: (-worth[id(match)], match.line)) for cause, group in by_cause.items()}
    board = _Board({}, {})
    _hear_rules(board, ordered, worth, causes, made)
    _hear_classifier(board, predictions, causes, made, clear=scene.clear)
    explained = _explain(board.logits, ordered, causes)
    for symptom, deeper in explained.items():
        board.add(symptom, made.symptom, f"{deeper} explains it")
        board.add(deeper, made.deeper, f"it explains {symptom}")
    total = math.exp(made.unknown) + sum(math.exp(logit) for logit in board.logits.values())
    chances = {cause: math.exp(logit) / total for cause, logit in board.logits.items()}
    predicted = {prediction.cause for prediction in predictions if prediction.probability > PRIOR}
    found = _ranked(chances, ordered, causes, explained, predicted, board.reasons, made)
    return found, math.exp(made.unknown) / total


def _hear_rules(
    board: _Board,
    ordered: Mapping[str, list[Match]],
    worth: Mapping[int, float],
    causes: Mapping[str, Cause],
    weights: Weights,
) -> None:
    decisive = {id(match) for group in ordered.values() for match in group if worth[id(match)] >= weights.decisive}
    first = _first_line(ordered, decisive, causes)
    for cause, group in ordered.items():
        best = group[0]
        board.add(cause, worth[id(best)], f"rule {best.rule.id} ({best.rule.strength}) on line {best.line}")
        agreeing = min(MAX_AGREEMENT, len({match.rule.id for match in group}) - 1)
        if agreeing:
            board.add(cause, weights.agreement * agreeing, f"{agreeing} other rules agree")
        if any(match.line == first and id(match) in decisive for match in group):
            board.add(cause, weights.first, f"line {first} is the first of the decisive lines")


def _first_line(ordered: Mapping[str, list[Match]], decisive: set[int], causes: Mapping[str, Cause]) -> int:
    """The first of the decisive lines. Where a test runner gave its verdict, what the tests printed before it does not
    count, unless the graph says that it can make tests fail."""
    lines = {
        cause: min(match.line for match in group if id(match) in decisive)
        for cause, group in ordered.items()
        if any(id(match) in decisive for match in group)
    }
    if TESTS in lines and TESTS in causes:
        explains = {entry.cause for entry in causes[TESTS].explained_by}
        lines = {cause: line for cause, line in lines.items() if cause in explains or cause == TESTS}
    return min(lines.values(), default=0)


def _hear_classifier(
    board: _Board, predictions: Sequence[Prediction], causes: Mapping[str, Cause], weights: Weights, *, clear: bool
) -> None:
    for prediction in predictions:
        if prediction.cause not in causes:
            continue
        said = max(MOST_AGAINST, min(MOST_FOR, math.log(max(prediction.probability, 1e-9) / PRIOR)))
        reason = f"the classifier says {prediction.probability:.0%}"
        if prediction.cause in board.logits:
            board.add(prediction.cause, weights.classifier * said, reason)
        elif prediction.probability >= ALONE and clear:
            board.add(prediction.cause, weights.classifier_alone + weights.classifier * said, f"{reason}, no rule does")


def _worth(match: Match, scene: Scene, weights: Weights) -> float:
    value = {"strong": weights.strong, "medium": weights.medium, "weak": weights.weak}[match.rule.strength]
    value += {"error": weights.error, "warning": weights.warning, "plain": 0.0}[match.level]
    distance = scene.line - match.line
    if distance < -SUMMARY_LINES:
        value += weights.cleanup
    elif distance <= NEAR_LINES:
        value += weights.near
    elif distance <= FAR_LINES:
        value += weights.far
    elif distance > REMOTE_LINES:
        value += weights.remote
    if scene.step and match.step:
        value += weights.same_step if match.step == scene.step else weights.other_step
    return value if scene.clear else value + weights.unclear


def _explain(logits: Mapping[str, float], ordered: Mapping[str, list[Match]], causes: Mapping[str, Cause]) -> dict[str, str]:
    """symptom -> the deeper cause that explains it: the likeliest of those that the log shows evidence for."""
    explained: dict[str, str] = {}
    for symptom in sorted(logits, key=lambda cause: logits[cause]):
        if symptom not in causes:
            continue
        candidates = [
            entry.cause
            for entry in causes[symptom].explained_by
            if entry.cause in ordered
            and _plausible(ordered[entry.cause], ordered.get(symptom, []), logits[entry.cause] - logits[symptom])
        ]
        candidates = [cause for cause in candidates if not _leads_to(explained, cause, symptom)]
        if candidates:
            explained[symptom] = max(candidates, key=lambda cause: logits[cause])
    return explained


def _plausible(deeper: Sequence[Match], shown: Sequence[Match], margin: float) -> bool:
    """The deeper cause has a strong line, or a fair one near the symptom, and not only a warning."""
    best = deeper[0]
    if best.level == "warning" or margin <= -3.0:
        return False
    if best.rule.strength == "strong":
        return True
    near = any(abs(one.line - other.line) <= EXPLAINS_WITHIN for one in deeper for other in shown)
    return best.rule.strength == "medium" and near


def _leads_to(explained: Mapping[str, str], start: str, goal: str) -> bool:
    for _ in range(len(explained) + 1):
        if start == goal:
            return True
        if start not in explained:
            return False
        start = explained[start]
    return True


def _ranked(
    chances: dict[str, float],
    ordered: Mapping[str, list[Match]],
    causes: Mapping[str, Cause],
    explained: Mapping[str, str],
    predicted: set[str],
    reasons: Mapping[str, list[str]],
    weights: Weights,
) -> tuple[Ranked, ...]:
    possible = _possible(chances, ordered, causes, explained, weights)
    found: list[Ranked] = []
    best = max(chances.values(), default=0.0)
    for identifier, chance in {**chances, **{cause: value for cause, (value, _) in possible.items()}}.items():
        if identifier not in causes or (chance < MIN_CONFIDENCE and identifier not in explained):
            continue
        matches = _distinct(ordered.get(identifier, []))
        if causes[identifier].family == NAMED:
            matches = _named_first(matches)
        role: Role = "possible"
        if identifier in explained:
            role = "consequence"
        elif matches and (chance == best or chance >= 0.3):
            role = "cause"
        sources = (*(("rules",) if matches else ()), *(("classifier",) if identifier in predicted else ()))
        check = possible[identifier][1] if identifier in possible else None
        why = tuple(reasons.get(identifier, ("the graph: the leading cause often hides it",)))
        found.append(Ranked(causes[identifier], chance, role, matches, sources or ("graph",), check, why))
    return tuple(sorted(found, key=lambda item: (-item.confidence, item.role != "cause", item.cause.id)))


def _possible(
    chances: dict[str, float],
    ordered: Mapping[str, list[Match]],
    causes: Mapping[str, Cause],
    explained: Mapping[str, str],
    weights: Weights,
) -> dict[str, tuple[float, str]]:
    """Deeper causes without evidence, for the leading symptom: their chance, taken from the symptom's, and the check."""
    leading = max((cause for cause in chances if cause not in explained), key=lambda cause: chances[cause], default=None)
    if leading is None or leading not in causes or leading not in ordered:
        return {}
    total, found = chances[leading], {}
    for entry in causes[leading].explained_by:
        if entry.cause not in ordered and entry.cause in causes:
            moved = total * entry.share * weights.possible
            found[entry.cause] = (moved + chances.get(entry.cause, 0.0), entry.check)
            chances[leading] -= moved
    return found


def _named_first(matches: tuple[Match, ...]) -> tuple[Match, ...]:
    """The evidence with the line that says which test, file or rule it was before the sum that only counts them."""
    if not matches or matches[0].rule.fingerprint:
        return matches
    named = [match for match in matches if match.rule.fingerprint and match.rule.strength != "weak" and match.level != "warning"]
    first = min(named, key=lambda match: match.line, default=None)
    return matches if first is None else (first, *(match for match in matches if match is not first))


def _distinct(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The evidence: the best match, the best of each other rule, the last of all (builds repeat the reason at their end),
    then the next best; one a line."""
    rules: dict[str, Match] = {}
    for match in matches:
        rules.setdefault(match.rule.id, match)
    last = max(matches, key=lambda match: match.line, default=None)
    chosen: dict[int, Match] = {}
    for match in [*list(rules.values())[: MAX_EVIDENCE - 2], *([last] if last else []), *matches]:
        chosen.setdefault(match.line, match)
    return tuple(list(chosen.values())[:MAX_EVIDENCE])
