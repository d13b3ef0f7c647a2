// Calls the methods of generated clients, as a plan in JSON has it, and writes what they get.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const MS = 5000;
const { control, talks } = JSON.parse(readFileSync(process.argv[2], "utf-8"));

function within(promise) {
  const late = new Promise((_, reject) => setTimeout(reject, MS, new Error("no message")).unref());
  return Promise.race([promise, late]);
}

/** Lets a mock send a message. */
async function send(mock, name, payload) {
  const answer = await fetch(control, {
    method: "POST",
    body: JSON.stringify([mock, name, payload]),
  });
  if (!answer.ok) {
    throw new Error(`${name} was not sent`);
  }
}

/** What one client gets as answers, and by itself. */
async function talk({ module, mock, options, calls, sends }) {
  const { Client } = await import(pathToFileURL(module));
  const { Refused } = await import(new URL("errors.js", pathToFileURL(module)));
  const client = await Client.connect({ ...options, replyMs: MS });
  const answers = [];
  const received = [];
  try {
    for (const [method, payload] of calls) {
      try {
        answers.push({ value: await client[method](payload) });
      } catch (error) {
        if (!(error instanceof Refused)) {
          throw error;
        }
        answers.push({ value: error.reply });
      }
    }
    const messages = client[Symbol.asyncIterator]();
    for (const [name, payload] of sends) {
      await send(mock, name, payload);
      received.push((await within(messages.next())).value);
    }
  } finally {
    await client.close();
  }
  return { answers, received };
}

for (const each of talks) {
  const result = await talk(each).catch((error) => ({ failed: `${each.module} ${error.stack}` }));
  const text = JSON.stringify(result, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  process.stdout.write(`${text}\n`);
}
