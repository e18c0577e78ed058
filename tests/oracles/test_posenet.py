"""PoseNet's decoders against the published ones, on the same heads.

They run under Node; in any folder: ``npm install @tensorflow-models/posenet@2.2.2
@tensorflow/tfjs-core@3 @tensorflow/tfjs-converter@3 @tensorflow/tfjs-backend-cpu@3``, then name its
``node_modules`` in ``NODE_PATH``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ideal_fields import encode, people
from poise.models.posenet_decoding import Fields, decode_multi, decode_single

SCRIPT = Path(__file__).with_name("posenet.js")


@pytest.fixture(scope="module")
def node() -> str:
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not here")
    asked = [program, "-e", "require('@tensorflow-models/posenet')"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("@tensorflow-models/posenet is not on NODE_PATH")
    return program


def theirs(node: str, folder: Path, fields: Fields, **choices: float) -> dict:
    height, width, _ = fields.heat.shape
    hops = fields.hops.reshape(height, width, 2, 16, 2)
    heads = {"heat": fields.heat}
    # Published heads have y before x.
    heads["offsets"] = fields.offsets[..., ::-1].swapaxes(2, 3)
    heads["forward"], heads["backward"] = (
        hops[:, :, way, :, ::-1].swapaxes(2, 3) for way in (0, 1)
    )
    for name, head in heads.items():
        np.ascontiguousarray(head, np.float32).tofile(folder / name)
    job = {"height": height, "width": width, "stride": fields.stride, **choices}
    (folder / "job.json").write_text(json.dumps(job))
    done = subprocess.run([node, str(SCRIPT), str(folder)], capture_output=True, check=True)
    return json.loads(done.stdout)


def noise(seed: int, size: tuple[int, int], stride: int) -> Fields:
    chance = np.random.default_rng(seed)
    cells = (size[1], size[0])
    return Fields(
        chance.random((*cells, 17), np.float32),
        chance.normal(0, 12, (*cells, 17, 2)).astype(np.float32),
        chance.normal(0, 40, (*cells, 32, 2)).astype(np.float32),
        stride,
    )


def crowd(seed: int, count: int, stride: int) -> Fields:
    chance = np.random.default_rng(seed)
    noses = chance.uniform([20, 10], [490, 240], (count, 2))
    poses = np.concatenate([people(nose, scale=chance.uniform(0.5, 1.3)) for nose in noses])
    return encode(poses, seen=chance.random((count, 17)) > 0.1, stride=stride)


CASES = {
    **{f"noise {seed}": noise(seed, (27, 21), 16) for seed in range(4)},
    "noise of 32": noise(9, (17, 13), 32),
    **{f"crowd {seed}": crowd(seed, 4 + 2 * seed, 16) for seed in range(4)},
    "crowd of 8": crowd(7, 8, 8),
    "crowd of 32": crowd(8, 3, 32),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("most", "score", "radius"), [(5, 0.5, 20.0), (30, 0.3, 30.0)])
def test_people_are_those_of_the_published_decoder(
    node: str, tmp_path: Path, name: str, most: int, score: float, radius: float
) -> None:
    fields = CASES[name]
    answer = theirs(node, tmp_path, fields, people=most, score=score, radius=radius)
    found = decode_multi(fields, people=most, score=score, radius=radius)
    points = np.array([pose["points"] for pose in answer["multi"]]).reshape(-1, 17, 3)
    assert len(found.keypoints) == len(points) > 0
    np.testing.assert_allclose(found.keypoints, points[..., :2], atol=1e-2)
    np.testing.assert_allclose(found.scores, points[..., 2], atol=1e-5)
    np.testing.assert_allclose(found.people, [p["score"] for p in answer["multi"]], atol=1e-5)
    one, single = decode_single(fields), np.array(answer["single"]["points"])
    np.testing.assert_allclose(one.keypoints[0], single[:, :2], atol=1e-3)
    np.testing.assert_allclose(one.scores[0], single[:, 2], atol=1e-6)
    assert one.people[0] == pytest.approx(answer["single"]["score"], abs=1e-6)
