// Decodes PoseNet's heads with the published package: node posenet.js FOLDER, see test_posenet.py.
const fs = require("fs");
const path = require("path");
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
const posenet = require("@tensorflow-models/posenet");

const folder = process.argv[2];
const job = JSON.parse(fs.readFileSync(path.join(folder, "job.json")));

function read(name, channels) {
  const bytes = fs.readFileSync(path.join(folder, name));
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return tf.tensor(numbers, [job.height, job.width, channels]);
}

function plain(pose) {
  const points = pose.keypoints.map((one) => [one.position.x, one.position.y, one.score]);
  return { score: pose.score, points };
}

async function main() {
  const heads = [read("heat", 17), read("offsets", 34), read("forward", 32), read("backward", 32)];
  const buffers = heads.map((head) => head.bufferSync());
  const { stride, people, score, radius } = job;
  const multi = await posenet.decodeMultiplePoses(...buffers, stride, people, score, radius);
  const single = await posenet.decodeSinglePose(heads[0], heads[1], stride);
  fs.writeSync(1, JSON.stringify({ multi: multi.map(plain), single: plain(single) }));
}

main();
