// Reads [[schema, [value, ...]], ...] as JSON texts from the standard input, and writes for each value
// whether it is valid and how many faults are named. The first argument is the folder of the modules.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const folder = pathToFileURL(`${process.argv[2]}/`);
const { Schema } = await import(new URL('schema.js', folder));

const verdicts = JSON.parse(readFileSync(0, 'utf8')).map(([text, values]) => {
  const schema = new Schema(text);
  return values.map((value) => {
    const parsed = JSON.parse(value);
    return [schema.isValid(parsed), schema.faults(parsed)];
  });
});
process.stdout.write(JSON.stringify(verdicts));
