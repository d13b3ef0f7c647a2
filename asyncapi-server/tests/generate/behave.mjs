// What clients in TypeScript do when a server behaves in every way, in Node and in browsers alike.
// `base` is where the compiled clients are, `url` the server of test_javascript_behaviour.py.

async function caught(call) {
  try {
    return { value: await call() };
  } catch (error) {
    return { name: error.name, code: error.code, reply: error.reply, text: error.message };
  }
}

export async function behave(base, url) {
  const rooms = await import(`${base}/from_documents_rooms_3_1/index.js`);
  const offers = await import(`${base}/from_inputs_decimals/index.js`);
  const results = {};

  let client = await rooms.Client.connect({ url, replyMs: 300 });
  const both = [client.join({ rooms: [1] }), client.join({ rooms: [2] })];
  results.anyOrder = (await Promise.all(both)).map((reply) => reply.rooms);
  results.refused = await caught(() => client.join({ rooms: [3] }));
  results.isRefusal = await client.join({ rooms: [3] }).then(
    () => false,
    (error) => error instanceof rooms.ErrorRefusal && error instanceof rooms.ClientError,
  );
  results.late = await caught(() => client.join({ rooms: [4] }));
  results.withoutId = await client.join({ rooms: [5], request_id: "mine" });
  const messages = client[Symbol.asyncIterator]();
  results.received = [(await messages.next()).value, (await messages.next()).value];
  const next = caught(() => messages.next());
  results.lost = await caught(() => client.join({ rooms: [6] }));
  results.lostReading = await next;
  results.afterwards = await caught(() => client.join({ rooms: [1] }));

  client = await rooms.Client.connect({ url });
  const ended = (async () => {
    for await (const message of client) {
      return message;
    }
    return "ended";
  })();
  await client.close();
  results.closed = await ended;
  results.refusedConnection = await caught(() => rooms.Client.connect({ url: `${url}/refused` }));
  results.noUrl = await caught(() => rooms.Client.connect({ url: "no url" }));

  client = await offers.Client.connect({ url });
  const taken = await client.offer({ price: 0.5, count: 2n ** 63n });
  results.taken = [typeof taken.count, String(taken.count), taken.price];
  const { value: book } = await client[Symbol.asyncIterator]().next();
  results.book = [...book.message.ids, book.message.sizes.a, book.message.next].map(
    (value) => `${typeof value} ${value}`,
  );
  results.ratio = [typeof book.message.ratio, book.message.text];
  await client.close();
  return results;
}
