// Reads the data of a page's console and texts by channel, as [data, [[text, ...], ...]], from the
// standard input; writes the name and the number of faults of the message that each text is, of those
// that the server sends. The first argument is the folder of the modules.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const folder = pathToFileURL(`${process.argv[2]}/`);
const { Recogniser } = await import(new URL('recognise.js', folder));

const [data, texts] = JSON.parse(readFileSync(0, 'utf8'));
const named = data.channels.map((channel, number) => {
  const recogniser = new Recogniser(channel.sends);
  return texts[number].map((text) => {
    const found = recogniser.recognise(JSON.parse(text));
    return found && [found.message.name, found.faults.length];
  });
});
process.stdout.write(JSON.stringify(named));
