"""Every word and every number format of the report, in one place."""

from __future__ import annotations

import math

ENGLISH: dict[str, str] = {
    "title": "{attempt} against {reference}",
    "untitled": "Attempt against reference",
    "eyebrow": "Comparison of two performances",
    "reference": "Reference",
    "attempt": "Attempt",
    "of_100": "of 100",
    "score": "Score",
    "shape": "Shape",
    "shape_note": "where the limbs point",
    "timing": "Timing",
    "timing_note": "whether it keeps time",
    "coverage": "Judged",
    "coverage_note": "of limbs and time were seen",
    "verdict_right": "Right",
    "verdict_nearly": "Nearly right",
    "verdict_wrong": "Wrong",
    "verdict_cannot say": "Cannot say",
    "removed": "Taken away before judging",
    "removed_none": "Nothing had to be taken away: both start together, at the same speed.",
    "removed_mirrored": "mirror image",
    "removed_late": "{seconds} later in its recording",
    "removed_early": "{seconds} earlier in its recording",
    "removed_slow": "{percent} slower",
    "removed_fast": "{percent} faster",
    "removed_size": "{factor} of the size in the picture",
    "removed_roll": "camera tilted by {degrees}",
    "removed_yaw_left": "camera {degrees} to the person's left",
    "removed_yaw_right": "camera {degrees} to the person's right",
    "aligned_motion": "Aligned by motion",
    "aligned_audio": "Aligned by the music",
    "aligned_none": "Not aligned in time",
    "mirror_note": "The attempt is a mirror image. Left and right in the tables and the figure are "
    "those of the reference; the sentences speak of the attempt's own sides.",
    "work_on": "What to work on",
    "no_faults": "Nothing stands out: no limb was wrong for long enough to be named.",
    "more_faults": "{count} smaller ones are in comparison.json.",
    "fault": "What",
    "size": "Size",
    "weight": "Weight",
    "timeline": "Moment by moment",
    "timeline_lead": "The score along the reference's time, its beats, and below them what is "
    "wrong, limb by limb. Point at a bar to read it; click on it to find it in the table.",
    "timeline_alt": "Running score over {duration} of the reference, {count} faults marked.",
    "running": "score",
    "beats": "beats",
    "not_judged": "not judged",
    "kind_pose": "held wrong",
    "kind_late": "late",
    "kind_early": "early",
    "kind_missed": "left out",
    "kind_extra": "pause or extra",
    "worst": "The worst moments",
    "worst_lead": "Reference and attempt at the same moment of the movement. Dashed: where the "
    "reference is.",
    "worst_lead_pictures": "Reference and attempt at the same moment of the movement.",
    "pair_alt": "{who} at {time}: {text}",
    "no_pose": "no pose at this moment",
    "this_moment": "The two poses",
    "limbs": "Limb by limb",
    "limbs_alt": "A body that faces you, each limb coloured by its score.",
    "figure_note": "The figure faces you: its left is on your right.",
    "limb": "Limb",
    "joints": "Joint by joint",
    "joint": "Joint",
    "error": "Mean error",
    "judged": "Judged",
    "lag": "Lag",
    "in_time": "in time",
    "late_by": "{seconds} late",
    "early_by": "{seconds} early",
    "none": "–",
    "timing_head": "Timing",
    "alignment": "Attempt against reference",
    "alignment_note": "Dashed: the fitted line, {tempo} of the reference's speed.",
    "alignment_alt": "The attempt's time for every moment of the reference.",
    "lag_note": "Above the line the attempt is late, below it is early. Grey: up to {seconds}, "
    "which costs nothing.",
    "lag_alt": "Seconds by which the attempt follows the reference, at most {late} late and "
    "{early} early.",
    "reference_time": "reference time",
    "attempt_time": "attempt time",
    "late": "late",
    "early": "early",
    "segments": "Beat by beat",
    "segment": "Beat",
    "show_segments": "Show all {count} beats",
    "when": "Reference",
    "when_attempt": "Attempt",
    "tempo": "Tempo",
    "worst_limb": "Weakest limb",
    "segment_title": "Beat {number}, {span}: {score}",
    "attempts": "All performances in the recording",
    "attempts_lead": "The recording holds the movement {count} times; the best one is judged here.",
    "number": "No.",
    "best": "judged here",
    "method": "How the score is made",
    "formula": "A limb that points e degrees elsewhere loses 1 − exp(−(e − {tolerance}) / {scale}) "
    "of its worth, nothing up to {tolerance}; the shape is 100 less the root mean square of all "
    "losses of limbs and joints over time, each weighted by how well it was seen, and the timing "
    "is made the same way from the seconds beyond {late} by which the attempt is late or early.",
    "formula_score": "The score is shape × (0.8 + 0.2 × timing / 100): {right} and more of shape "
    "is right, {nearly} and more is nearly right, and where less than {coverage} could be judged "
    "nothing is said. What was not seen counts neither for nor against.",
    "made": "How it was made",
    "made_by": "Poise {version}",
    "made_pose": "{who}: {name}{frames} frames, {duration}, {skeleton}{model}",
    "made_model": ", model {model}",
    "made_moments": "{count} moments compared",
    "contents": "Contents",
    "ranking_title": "Ranking against {reference}",
    "ranking_untitled": "Ranking",
    "ranking_eyebrow": "Attempts against one reference",
    "ranking_lead": "{judged} of {count} attempts judged.",
    "rank": "Rank",
    "name": "Attempt",
    "verdict": "Verdict",
    "worst_fault": "Worst fault",
    "report": "Report",
    "open": "open",
    "failed": "Not judged",
    "reason": "Reason",
    "left": "left",
    "right": "right",
    "upper_arm": "upper arm",
    "body": "whole body",
}


class Phrases:
    """Says things in one language.

    Args:
        table: Phrases by key, of which those that are missing are said in English.
    """

    def __init__(self, table: dict[str, str] | None = None, language: str = "en") -> None:
        self._table = ENGLISH | (table or {})
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        """Return a phrase with its places filled."""
        return self._table[key].format(**values)

    def limb(self, name: str) -> str:
        """Return a limb or joint in words: ``left upper arm``."""
        if name in self._table:
            return self._table[name]
        for side in ("left", "right"):
            if name.startswith(f"{side}_"):
                return f"{self._table[side]} {self.limb(name.removeprefix(f'{side}_'))}"
        return self._table.get(name, name.replace("_", " "))

    def clock(self, time: float | None, decimals: int = 1) -> str:
        """Return seconds as ``1:02.5``; a dash where unknown."""
        if time is None or not math.isfinite(time):
            return self("none")
        sign, rounded = "−" if time < 0 else "", round(abs(time), decimals)
        minutes, seconds = divmod(rounded, 60)
        width = 3 + decimals if decimals else 2
        return f"{sign}{int(minutes)}:{seconds:0{width}.{decimals}f}"

    def span(self, start: float, end: float) -> str:
        """Return ``0:02.0–0:03.5``; a dash where unknown."""
        if not (math.isfinite(start) and math.isfinite(end)):
            return self("none")
        return f"{self.clock(start)}–{self.clock(end)}"

    def points(self, score: float | None) -> str:
        """Return a score without decimals, never 100 for less; a dash where not judged."""
        if score is None or not math.isfinite(score):
            return self("none")
        return f"{min(round(score), 99 if score < 99.95 else 100)}"

    def degrees(self, value: float | None) -> str:
        """Return ``12°``, with a decimal below 10."""
        if value is None or not math.isfinite(value):
            return self("none")
        return f"{value:.0f}°" if abs(value) >= 9.95 else f"{value:.1f}°"

    def seconds(self, value: float) -> str:
        """Return ``0.25 s``, with one decimal from 1 s."""
        return f"{value:.2f} s" if abs(value) < 0.995 else f"{value:.1f} s"

    def percent(self, share: float) -> str:
        """Return ``97 %``, never 100 for less and never 0 for more."""
        whole = round(100 * share)
        if share < 1:
            whole = min(whole, 99)
        return f"{max(whole, 1) if share > 0 else 0} %"

    def tempo(self, factor: float) -> str:
        """Return a speed by that of the reference, as ``96 %``."""
        return f"{100 * factor:.0f} %"

    def lag(self, seconds: float | None, tolerance: float) -> str:
        """Return ``0.20 s late``, ``in time``, or a dash."""
        if seconds is None or not math.isfinite(seconds):
            return self("none")
        if abs(seconds) <= tolerance:
            return self("in_time")
        key = "late_by" if seconds > 0 else "early_by"
        return self(key, seconds=self.seconds(abs(seconds)))
