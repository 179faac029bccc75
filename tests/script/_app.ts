/**
 * A Hono app of the ordinary kind, which knows nothing of what runs it.
 *
 * @module
 */

import { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { etag } from "hono/etag";
import { logger } from "hono/logger";
import { streamSSE } from "hono/streaming";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";

/** As much as a body can be that is moved in pieces. */
export const LARGE: number = 10 * 1024 * 1024;

/** What it asks of the program that runs it. */
interface Env {
  readonly Bindings: { readonly remote?: { readonly hostname: string } | null };
}

/** Makes the app. One with a logger prints to standard output. */
export function createApp(hasLogger: boolean): Hono<Env> {
  const app = new Hono<Env>();
  if (hasLogger) app.use(logger());
  app.onError((_error, c) => c.text("Internal Server Error", 500));

  app.get("/", (c) => c.text("Hello"));
  app.get("/page", (c) => c.html("<h1>Gr\u00fc\u00dfe</h1>"));
  app.get("/json", (c) => c.json({ ok: true }, 418, { "X-Thing": "a, b" }));

  app.get("/login", (c) => {
    setCookie(c, "session", "s 1", { httpOnly: true });
    setCookie(c, "theme", "dark", { path: "/settings" });
    return c.text("in");
  });
  app.get("/cookies", (c) => c.json(getCookie(c)));

  app.get("/old", (c) => c.redirect("/new?from=old"));
  app.post(
    "/form",
    async (c) =>
      c.redirect(`/new?name=${encodeURIComponent(String((await c.req.formData()).get("name")))}`, 303),
  );
  app.get("/new", (c) => c.text(`new ${new URL(c.req.url).search}`));
  app.get("/away", (c) => c.redirect("https://example.com/x", 301));

  app.post("/upload", async (c) => {
    const body = await c.req.parseBody();
    const file = body["file"] as File;
    return c.json({
      note: body["note"],
      name: file.name,
      digest: digestOf(new Uint8Array(await file.arrayBuffer())),
    });
  });
  app.post("/digest", async (c) => {
    const hash = createHash("sha256");
    let size = 0;
    for await (const piece of c.req.raw.body ?? []) {
      hash.update(piece);
      size += piece.length;
    }
    return c.text(`${size} ${hash.digest("hex")}`);
  });
  app.post("/echo", (c) => c.body(c.req.raw.body!, 200, { "Content-Type": "application/x-echo" }));
  app.on(
    ["PUT", "DELETE"],
    "/thing/:id",
    async (c) => c.text(`${c.req.method} ${c.req.param("id")} ${await c.req.text()}`),
  );

  app.get("/large", (c) => {
    const piece = new Uint8Array(65_536).fill(7);
    let left = LARGE;
    return c.body(
      new ReadableStream({
        pull(controller) {
          controller.enqueue(piece.slice());
          left -= piece.length;
          if (left === 0) controller.close();
        },
      }),
      200,
      { "Content-Type": "application/octet-stream" },
    );
  });

  /** The second event comes once a file is there: the first one must have been seen by then. */
  app.get("/events", (c) =>
    streamSSE(c, async (stream) => {
      await stream.writeSSE({ data: "one" });
      while (!existsSync(c.req.query("until") ?? "")) await stream.sleep(10);
      await stream.writeSSE({ data: "two" });
    }));

  app.use("/tagged", etag());
  app.get("/tagged", (c) => c.text("tagged"));
  app.get("/nothing", (c) => c.body(null, 204));
  app.get("/path/*", (c) => c.text(new URL(c.req.url).pathname + new URL(c.req.url).search));
  app.get("/fields", (c) => c.json([c.req.header("x-thing"), c.req.header("accept-language")]));
  app.get("/who", (c) => c.text(c.env.remote?.hostname ?? "nobody"));
  app.get("/boom", () => {
    throw new Error("boom");
  });
  return app;
}

/** How much that is, for a comparison. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
