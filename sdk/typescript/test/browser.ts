/**
 * `node browser.js URL SCENARIO CHROMIUM PORT`: the scenario in headless Chromium, with the
 * built bundle, from a page on this port; the server must allow its origin.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [, , url = "", scenario = "", executablePath = "", port = "0"] = process.argv;
const PAGE = `<!doctype html><meta charset="utf-8"><title>Candlecast</title>
<script type="module">
  import { Client } from "/candlecast-client.js";
  import { play } from "/scenario.js";
  play(Client, ${JSON.stringify(url)}, ${readFileSync(scenario, "utf-8")}, window.report)
    .catch((error) => window.report({ event: "failed", error: String(error) }));
</script>`;
const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
const files = new Map<string, [string, string | Buffer]>([
  ["/", ["text/html", PAGE]],
  [
    "/candlecast-client.js",
    ["text/javascript", readFileSync(new URL("../../dist/candlecast-client.js", import.meta.url))],
  ],
  ["/scenario.js", ["text/javascript", readFileSync(new URL("scenario.js", import.meta.url))]],
]);

const server = createServer((request, response) => {
  const [type, body] = files.get(request.url ?? "") ?? ["text/plain", undefined];
  response.writeHead(body === undefined ? 404 : 200, { "Content-Type": type }).end(body);
});
await new Promise<void>((resolve) => server.listen(Number(port), "127.0.0.1", resolve));
const profile = mkdtempSync(join(tmpdir(), "candlecast-chromium-"));
const browser = await chromium.launchPersistentContext(profile, { executablePath, args: FLAGS });
try {
  const page = await browser.newPage();
  await new Promise<void>((resolve, reject) => {
    page.on("pageerror", reject);
    void page
      .exposeFunction("report", (message: { event: string }) => {
        console.log(JSON.stringify(message));
        if (message.event !== "restart") {
          resolve();
        }
      })
      .then(() => page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
      .catch(reject);
  });
} finally {
  await browser.close();
  server.close();
  rmSync(profile, { recursive: true, force: true });
}
