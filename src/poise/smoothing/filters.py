"""Filters without delay, for values over true times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


def savgol(times: Matrix, values: Matrix, *, window: float, order: int) -> Matrix:
    """Replace each value by that of a polynomial fitted to the values around it.

    On even times this is Savitzky and Golay 1964 (doi 10.1021/ac60214a047) with as many frames as
    the window holds, ends fitted to the first and last whole window. On uneven times the
    polynomial is fitted to the true ones.

    Args:
        times: (T,) seconds, not decreasing.
        values: (T, C) without NaN.
        window: Seconds from its first to its last frame.
        order: Degree; where a window holds too few frames for it, values stay as they are.
    """
    half = window / 2
    # Near the ends a frame uses the window of the nearest frame whose window is whole.
    low = int(np.searchsorted(times, times[0] + half + 1e-6)) - 1
    high = int(np.searchsorted(times, times[-1] - half - 1e-6))
    own = (
        np.arange(len(times)).clip(low, high)
        if low <= high
        else np.full(len(times), (low + high) // 2)
    )
    centre = times[own]
    first = np.searchsorted(times, centre - half - 1e-6)
    count = np.searchsorted(times, centre + half + 1e-6) - first
    rows = first[:, None] + np.arange(count.max())
    inside = np.arange(count.max()) < count[:, None]
    rows = np.minimum(rows, len(times) - 1)
    # Legendre polynomials of times within -1..1 keep the normal equations well-conditioned.
    basis = np.polynomial.legendre.legvander((times[rows] - centre[:, None]) / half, order)
    basis *= inside[..., None]
    at = np.polynomial.legendre.legvander((times - centre) / half, order)
    normal = basis.transpose(0, 2, 1) @ basis
    normal += 1e-12 * count[:, None, None] * np.eye(order + 1)
    weights = (basis @ np.linalg.solve(normal, at[..., None]))[..., 0]
    fitted = np.zeros_like(values)
    for place in range(count.max()):
        fitted += weights[:, place, None] * values[rows[:, place]]
    return np.where((count > order + 1)[:, None], fitted, values)


def butterworth(times: Matrix, values: Matrix, *, cutoff: float) -> Matrix:
    """Low-pass of second order, forwards and backwards, so that nothing is delayed.

    On even times this is ``filtfilt`` with the digital Butterworth filter of Oppenheim and
    Schafer (bilinear transform, cutoff pre-warped; ends continued by odd reflection). On uneven
    times each step of the same differential equation is as long as it truly was, and the cutoff is
    pre-warped for the median step.

    Args:
        times: (T,) seconds, not decreasing.
        values: (T, C) without NaN.
        cutoff: Hz.
    """
    margin = min(9, len(times) - 1)  # three times the length of the filter
    if margin < 1:
        return values
    head, tail = slice(margin, 0, -1), slice(-2, -margin - 2, -1)
    long = np.concatenate([2 * times[0] - times[head], times, 2 * times[-1] - times[tail]])
    wide = np.concatenate([2 * values[0] - values[head], values, 2 * values[-1] - values[tail]])
    there = _low_pass(np.diff(long), wide, cutoff)
    back = _low_pass(np.diff(long)[::-1], there[::-1], cutoff)[::-1]
    return back[margin:-margin]


def _low_pass(steps: Matrix, values: Matrix, cutoff: float) -> Matrix:
    """One causal pass, begun at rest, by the trapezoidal rule.

    y'' + sqrt(2) w y' + w^2 y = w^2 u, with the state (y, y').
    """
    usual = max(float(np.median(steps)), 1e-6)
    w = 2 / usual * np.tan(np.pi * min(cutoff * usual, 0.49))
    half = np.maximum(steps, 1e-6) / 2
    turn = w * half
    inverse = 1 / (1 + np.sqrt(2) * turn + turn**2)
    # (I - half A) x1 = (I + half A) x0 + half B (u0 + u1), solved by hand for the 2 x 2 case.
    move = np.empty((len(steps), 2, 3))
    move[:, 0, 0] = 1 - 2 * turn**2 * inverse
    move[:, 0, 1] = 2 * half * inverse
    move[:, 0, 2] = turn**2 * inverse
    move[:, 1, 0] = -2 * half * w**2 * inverse
    move[:, 1, 1] = 2 * inverse - 1
    move[:, 1, 2] = half * w**2 * inverse
    state = np.zeros((3, values.shape[1]))
    state[0] = values[0]
    passed = np.empty_like(values)
    passed[0] = values[0]
    pushes = values[:-1] + values[1:]
    for number, matrix in enumerate(move):
        state[2] = pushes[number]
        state[:2] = matrix @ state
        passed[number + 1] = state[0]
    return passed
