import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { serve } from "htbin";
import { cgi, staticFiles } from "htbin/hono";

const app = new Hono();
app.get("/status", (c) => c.json({ ok: true }));
app.use("/cgi-bin/admin/*", basicAuth({ username: "ada", password: "1815" }));
app.use("/cgi-bin/*", cgi({ root: "./cgi-bin" }));
app.use("*", staticFiles({ root: "./public" }));

const server = await serve({ port: 8000, handler: app.fetch });
console.log(`Serving ${server.url}`);
