// Runs an exported JavaScript model: node driver.mjs MODEL PIXELS LOGITS.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [file, from, to] = process.argv.slice(2);
const model = file.endsWith(".mjs")
  ? (await import(pathToFileURL(file).href)).default
  : createRequire(import.meta.url)(file);
const count = Number(process.argv[5]);
const pixels = readFileSync(from);
const logits = [];
for (let i = 0; i < pixels.length; i += count) {
  const image = pixels.subarray(i, i + count);
  const got = model.run(image);
  logits.push(...got);
  if (i >= 100 * count) continue; // all of MNIST takes long enough
  const best = got.indexOf(Math.max(...got));
  if (model.classify(image) !== best || typeof model.labels[best] !== "string") process.exit(3);
}
writeFileSync(to, new Uint8Array(Float32Array.from(logits).buffer));
