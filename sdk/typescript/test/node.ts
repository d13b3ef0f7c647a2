/** `node node.js URL SCENARIO`: the scenario in Node; each report is a line of JSON. */

import { readFileSync } from "node:fs";
import { Client } from "../src/index.js";
import { play } from "./scenario.js";

const [, , url = "", scenario = ""] = process.argv;
await play(Client, url, JSON.parse(readFileSync(scenario, "utf-8")), (message) =>
  console.log(JSON.stringify(message)),
);
