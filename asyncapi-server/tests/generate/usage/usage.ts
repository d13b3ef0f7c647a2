// Uses of generated code, right and wrong: each "@ts-expect-error" is one that the compiler finds.

import { Client, ErrorRefusal, type Received } from "./from_documents_rooms_3_1/index.js";
import { Client as Chat } from "./from_suite_chat_rooms_3_0/index.js";
import { Client as Offers } from "./from_inputs_decimals/index.js";

export async function use(): Promise<void> {
  // @ts-expect-error there is no server in the document
  await Client.connect();
  const client = await Client.connect({ url: "ws://localhost" });
  const rooms: number[] = (await client.join({ rooms: [1], request_id: "a" })).rooms;
  // @ts-expect-error a room is a number
  await client.join({ rooms: ["a"] });
  // @ts-expect-error the rooms are missing
  await client.join({});
  // @ts-expect-error no such member
  await client.join({ rooms, more: 1 });
  // @ts-expect-error it is an array of numbers
  const text: string = (await client.join({ rooms })).rooms;
  for await (const received of client) {
    show(received, text);
  }
  try {
    await client.leaveRoom({ room: 1 });
  } catch (error) {
    if (error instanceof ErrorRefusal) {
      const code: string = error.reply.code;
      // @ts-expect-error a code is a text
      const number: number = error.reply.code;
      console.log(code, number);
    }
  }
  await Chat.connect({ parameters: { room: "a", language: "en" } });
  // @ts-expect-error no such language
  await Chat.connect({ parameters: { room: "a", language: "none" } });
  const offers = await Offers.connect({ url: "ws://localhost" });
  const taken = await offers.offer({ price: 1, count: 2n ** 60n });
  // @ts-expect-error it may be a bigint
  const count: number = taken.count;
  console.log(count);
}

function show(received: Received, text: string): void {
  if (received.name === "note") {
    console.log(received.message.text, text);
    // @ts-expect-error a note may have no price
    received.message.price.toFixed();
  }
}
