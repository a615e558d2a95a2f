// Runs an exported JavaScript model of a table: node table_driver.mjs MODEL ROWS OUTPUTS COLUMNS.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [file, from, to, columns] = process.argv.slice(2);
const model = file.endsWith(".mjs")
  ? (await import(pathToFileURL(file).href)).default
  : createRequire(import.meta.url)(file);
const bytes = readFileSync(from), count = Number(columns);
const rows = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const all = [];
for (let i = 0; i < rows.length; i += count) {
  const row = Array.from(rows.subarray(i, i + count));
  const got = model.run(row);
  all.push(...got);
  if (model.predict ? model.predict(row) !== got[0] : got[model.classify(row)] !== Math.max(...got))
    process.exit(3);
}
for (const bad of [rows.subarray(1, count), [...rows.subarray(1, count), NaN], [..."7".repeat(count)]])
  try {
    model.run(bad);
    process.exit(5);
  } catch (error) {
    if (!(error instanceof RangeError)) process.exit(6);
  }
writeFileSync(to, new Uint8Array(Float32Array.from(all).buffer));
