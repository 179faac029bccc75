/**
 * The example site: that everything in it is linked and answers, and that what its pages claim is so.
 *
 * Run as root, its scripts run as `nobody`, as they do for a user who starts the site as root.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import { chmod, cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { connect, get, toLatin1 } from "./_http.ts";
import { missingProgram, temporaryFolder } from "./programs/_command.ts";
import { type ServedSite, serveSite } from "./programs/_served_site.ts";

const SITE = "examples/site";

const skip = await missingProgram("perl", "-e", "1") || await missingProgram("python3", "-c", "1");

describe("the example site", { skip }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: ServedSite;
  const at = (path: string) => new URL(path, server.url).href;
  const text = async (path: string, init?: RequestInit) => await (await fetch(at(path), init)).text();

  before(async () => {
    // The checkout may be in a place that `nobody` cannot read.
    folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    await cp(SITE, join(folder.path, "site"), { recursive: true });
    server = await serveSite(join(folder.path, "site"), {});
  });
  after(async () => {
    await server.close();
    await folder.remove();
  });

  it("links to everything in it, and every link answers as its page says", async () => {
    const found = await crawl(server.url);
    for (const [url, { status, from }] of found) {
      if (status !== null) assert.equal(status, expectedStatus(url), `${url}, linked from ${from}`);
    }
    const paths = new Set([...found.keys()].map((url) => decodeURIComponent(new URL(url).pathname)));
    for (const file of await filesBelow(SITE)) {
      const linked = [...paths].some((path) =>
        path === `/${file}` || file.startsWith("cgi-bin/") && path.startsWith(`/${file}/`)
      );
      assert.ok(linked || file === "index.html", `${file} is linked from nowhere`);
    }
  });

  it("has pages that stand alone, with a language, a title, a heading and labels", async () => {
    const pages = (await filesBelow(SITE)).filter((file) => file.endsWith(".html"));
    const scripts = [
      "environment.pl",
      "counter.pl",
      "path.py/a?b",
      "form_handler.py?name=A",
      "mandelbrot.py",
    ];
    for (const path of [...pages, ...scripts.map((name) => `cgi-bin/${name}`)]) {
      const html = await text(path);
      assert.match(html, /^<!DOCTYPE html>\n<html lang="en">/, path);
      assert.match(html, /<meta name="viewport" content="width=device-width">/, path);
      assert.match(html, /<title>[^<]+<\/title>/, path);
      assert.match(html, /<main /, path);
      assert.equal(html.match(/<h1>/g)?.length, 1, path);
      assert.doesNotMatch(html, /(?:src|href|action)="(?:https?:)?\/\//, `${path} leads outside`);
      for (const [image] of html.matchAll(/<(?:img|input type="image")[^>]*>/g)) {
        assert.match(image, / alt="[^"]+/, path);
      }
      for (const [, id] of html.matchAll(/<(?:input|textarea|select) id="([^"]+)"/g)) {
        assert.ok(html.includes(`<label for="${id}">`), `${path}: #${id} has no label`);
      }
    }
  });

  it("quotes its scripts as they are", async () => {
    let quotes = 0;
    for (const file of (await filesBelow(SITE)).filter((name) => name.endsWith(".html"))) {
      const html = await readFile(join(SITE, file), "utf8");
      for (
        const [, from, whole, quoted] of html.matchAll(
          /data-from="([^"]+)"( data-whole)?[^>]*>\n([^]*?)<\/pre>/g,
        )
      ) {
        const source = await readFile(join(SITE, from!), "utf8");
        if (whole) assert.equal(unescapeHtml(quoted!), source, file);
        assertInOrder(source, unescapeHtml(quoted!), `${file} quotes ${from}`);
        quotes++;
      }
      for (const [, name, lines] of html.matchAll(/<code>([\w.]+)<\/code>, (\d+) lines/g)) {
        const source = await readFile(join(SITE, "cgi-bin", name!), "utf8");
        assert.equal(Number(lines), source.split("\n").length - 1, `${file} counts the lines of ${name}`);
      }
    }
    assert.ok(quotes >= 5);
  });

  it("greets by name, with GET and with POST", async () => {
    for (
      const html of [
        await text("cgi-bin/form_handler.py?name=Alice"),
        await text("cgi-bin/form_handler.py", {
          method: "POST",
          body: new URLSearchParams({ name: "Alice" }),
        }),
      ]
    ) {
      assert.match(
        html,
        /<h1>Hello from a CGI Script!<\/h1>\n<p class="lead">Hello, <strong>Alice<\/strong>!<\/p>/,
      );
    }
    assert.match(await text("cgi-bin/form_handler.py"), /No name was provided\./);
    const body = new URLSearchParams({ name: "<b>Åsa & Zoë</b>", message: "two\r\nlines" });
    const html = await text("cgi-bin/form_handler.py", { method: "POST", body });
    assert.match(html, /<strong>&lt;b&gt;Åsa &amp; Zoë&lt;\/b&gt;<\/strong>/);
    assert.match(html, /<td>two\r\nlines<\/td>/);
  });

  it("refuses what is not a form", async () => {
    const json = await fetch(at("cgi-bin/form_handler.py"), { method: "POST", body: new Blob(["{}"]) });
    assert.equal(json.status, 415);
    await json.text();
    const upload = await fetch(at("cgi-bin/upload.py"), {
      method: "POST",
      body: new URLSearchParams({ a: "b" }),
    });
    assert.equal(upload.status, 415);
    await upload.text();
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    const broken = await fetch(at("cgi-bin/upload.py"), { method: "POST", headers, body: "--x\r\nno end" });
    assert.equal(broken.status, 400);
    await broken.text();
  });

  it("takes files apart wherever their boundaries fall", async () => {
    const nearly = new TextEncoder().encode("\r\n--");
    for (const size of [0, 1, 65_535, 65_536, 3_000_001]) {
      const content = randomFillSync(new Uint8Array(size));
      content.set(nearly.subarray(0, size), 0);
      content.set(nearly.subarray(0, size), Math.max(0, size - nearly.length));
      const body = new FormData();
      body.set("note", "Grüße & <i>");
      body.append("file", new Blob([content]), "größe & <b>.bin");
      body.append("file", new Blob(["second"]), "second.txt");
      const html = await text("cgi-bin/upload.py", { method: "POST", body });
      assert.match(html, /<td>Grüße &amp; &lt;i&gt;<\/td>/);
      assert.match(html, /<td>größe &amp; &lt;b&gt;\.bin<\/td>/);
      assert.ok(html.includes(`<td>${size.toLocaleString("en-US")} bytes</td>`), `${size} bytes`);
      assert.ok(html.includes(createHash("sha256").update(content).digest("hex")), `${size} bytes`);
      assert.ok(html.includes(createHash("sha256").update("second").digest("hex")));
    }
  });

  it("takes an upload larger than the memory the script may have", {
    skip: process.platform === "linux" ? false : "ulimit -v holds on Linux only",
  }, async () => {
    const printed = await uploadWithin(128 * 1024, 256);
    assert.match(printed, /<td>268,435,456 bytes<\/td>/);
  });

  it("counts visits in a cookie and starts again when asked to", async () => {
    const visit = async (cookie: string, method = "GET") => {
      const response = await fetch(at("cgi-bin/counter.pl"), {
        method,
        headers: { cookie },
        redirect: "manual",
      });
      const cookies = response.headers.getSetCookie();
      return { status: response.status, html: await response.text(), cookies };
    };
    const first = await visit("");
    assert.match(first.html, /1 time\. Welcome/);
    assert.equal(first.cookies.length, 2);
    const sent = first.cookies.map((cookie) => cookie.split(";")[0]).join("; ");
    assert.match(sent, /^visits=1; last=\d+$/);
    assert.match((await visit(sent)).html, /2 times\. The last one was just now\./);
    assert.match((await visit("visits=7; other=<b>")).html, /8 times/);
    assert.match((await visit("visits=<b>")).html, /1 time\./);
    const reset = await visit(sent, "POST");
    assert.equal(reset.status, 303);
    assert.ok(reset.cookies.every((cookie) => cookie.includes("Max-Age=0")));
  });

  it("redirects the client, and the server", async () => {
    const ask = (to: string, method = "GET") =>
      fetch(at(`cgi-bin/redirect.sh?to=${to}`), { method, redirect: "manual" });
    const client = await ask("client");
    assert.equal(client.status, 302);
    assert.equal(client.headers.get("location"), at("cgi-bin/path.py/arrived/by/client/redirect"));
    const seeOther = await ask("see-other", "POST");
    assert.equal(seeOther.status, 303);
    assert.equal(seeOther.headers.get("location"), at("cgi-bin/path.py/arrived/by/see/other"));
    const local = await ask("local");
    assert.equal(local.status, 200);
    assert.match(await local.text(), /<span class="path">\/arrived\/by\/local\/redirect<\/span>/);
    const wrong = await ask("nowhere");
    assert.equal(wrong.status, 400);
    await Promise.all([client, seeOther, wrong].map((response) => response.text()));
  });

  it("escapes what it shows of a request", async () => {
    for (const script of ["environment.pl", "path.py"]) {
      const html = await text(`cgi-bin/${script}/%3Cscript%3E/%22?<script>&%22`, {
        headers: { "user-agent": "<script>" },
      });
      assert.doesNotMatch(html, /<script>/);
      assert.match(html, /&lt;script&gt;/);
    }
    assert.match(await text("cgi-bin/path.py/a//b?c"), /<span class="path">\/a\/\/b<\/span>/);
  });

  it("draws a PNG and zooms to where it was clicked", async () => {
    const response = await fetch(at("cgi-bin/mandelbrot.py/picture.png"));
    assert.equal(response.headers.get("content-type"), "image/png");
    const png = new Uint8Array(await response.arrayBuffer());
    assert.deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    assert.equal(Number(response.headers.get("content-length") ?? png.length), png.length);
    const html = await text("cgi-bin/mandelbrot.py?x=0&y=0&span=4&at.x=0&at.y=150");
    assert.match(html, /centre is -2 \+ 0i and the picture 1 wide/);
    // A keyboard has no place to click.
    assert.match(
      await text("cgi-bin/mandelbrot.py?x=0&y=0&span=4&at.x=0&at.y=0"),
      /centre is 0 \+ 0i and the picture 1 wide/,
    );
    assert.match(await text("cgi-bin/mandelbrot.py?x=nan&span=inf&at.x=a&at.y=b"), /centre is -0\.6 \+ 0i/);
  });

  it("ticks once a second until the client leaves, and the script ends then", async () => {
    const connection = await connect(server);
    await connection.send(get("/cgi-bin/clock.sh"));
    const head = await connection.head();
    assert.equal(head.header("content-type"), "text/event-stream");
    const ticks = () => toLatin1(connection.take()).match(/data: \d\d:\d\d:\d\d\n\n/g)?.length ?? 0;
    let seen = 0;
    const started = Date.now();
    while (seen < 2) {
      await connection.received(1);
      seen += ticks();
    }
    assert.ok(Date.now() - started >= 900, "two ticks are a second apart");
    connection.close();
    const exit = await server.logged("script-exit", ({ script }) => script.endsWith("clock.sh"));
    assert.notEqual(exit.code, 0);
  });

  it("shows a page while it is still being printed", async () => {
    const connection = await connect(server);
    await connection.send(get("/cgi-bin/printer.pl"));
    await connection.head();
    let page = "";
    while (!page.includes("\n01  ")) {
      await connection.received(1);
      page += toLatin1(connection.take());
    }
    assert.doesNotMatch(page, /\n24 {2}/);
    connection.close();
    await server.logged("script-exit", ({ script }) => script.endsWith("printer.pl"));
  });

  it("never sends the source of a script", async () => {
    for (const file of (await filesBelow(SITE)).filter((name) => name.startsWith("cgi-bin/"))) {
      for (const path of [`/${file}`, `/${file}%20`, `/${file}/.`, `//${file}`, `/files/../${file}`]) {
        assert.doesNotMatch(await firstOf(server, path), /#!/, path);
      }
    }
  });
});

/** The body's first bytes, or all of it where that is less. The path is sent as it is. */
async function firstOf(server: ServedSite, path: string): Promise<string> {
  const connection = await connect(server);
  try {
    await connection.send(get(path, "Connection: close"));
    await connection.head();
    return toLatin1(await connection.received(10).catch(() => connection.take()));
  } finally {
    connection.close();
  }
}

interface Found {
  /** `null` for what only a form with POST leads to. */
  readonly status: number | null;
  readonly from: string;
}

/** Follows every link below a URL. */
async function crawl(start: string): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  let next = new Map([[start, "nowhere"]]);
  while (next.size > 0) {
    const now = [...next];
    next = new Map();
    await Promise.all(now.map(async ([url, from]) => {
      found.set(url, { status: null, from });
      const { status, links, posts } = await visit(url);
      found.set(url, { status, from });
      for (const post of posts) {
        if (!found.has(post)) found.set(post, { status: null, from: url });
      }
      for (const link of links) {
        if (link.startsWith(start) && (found.get(link)?.status ?? null) === null) next.set(link, url);
      }
    }));
    for (const [url, { status }] of found) if (status !== null) next.delete(url);
  }
  return found;
}

interface Visit {
  readonly status: number;
  readonly links: readonly string[];
  /** Where forms are sent with POST. */
  readonly posts: readonly string[];
}

async function visit(url: string): Promise<Visit> {
  const response = await fetch(url, { redirect: "manual" });
  const type = response.headers.get("content-type") ?? "";
  const location = response.headers.get("location");
  // The clock never ends.
  if (!type.startsWith("text/html") || location !== null) {
    await response.body?.cancel();
    return {
      status: response.status,
      links: location === null ? [] : [new URL(location, url).href],
      posts: [],
    };
  }
  const html = await response.text();
  const isPost = /<form[^>]*method="post"[^>]*>/g;
  return {
    status: response.status,
    links: linksIn(html.replace(isPost, ""), url),
    posts: linksIn(html.match(isPost)?.join("") ?? "", url),
  };
}

function linksIn(html: string, base: string): string[] {
  return [...html.matchAll(/\b(?:href|src|action)="([^"]*)"/g)].map(([, link]) => {
    const target = new URL(unescapeHtml(link!), base);
    target.hash = "";
    return target.href;
  });
}

/** What a link of the example site is said to answer. */
function expectedStatus(url: string): number {
  const { pathname, searchParams } = new URL(url);
  if (pathname.endsWith("/status.sh")) return Number(searchParams.get("code"));
  if (pathname.endsWith("/broken.py")) return 502;
  if (pathname.includes("nobody-wrote-this")) return 404;
  if (pathname.endsWith("/redirect.sh")) return searchParams.get("to") === "local" ? 200 : 302;
  return 200;
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = await Promise.all(entries.map(async (entry) => {
    if (!entry.isDirectory()) return [entry.name];
    return (await filesBelow(join(directory, entry.name))).map((file) => `${entry.name}/${file}`);
  }));
  return files.flat().sort();
}

function unescapeHtml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll(
    "&amp;",
    "&",
  );
}

/** That each line is found after the one before it; `…` stands for any lines. */
function assertInOrder(source: string, quoted: string, what: string): void {
  let from = 0;
  for (
    const line of quoted.split("\n").map((text) => text.trim()).filter((text) => text !== "" && text !== "…")
  ) {
    const index = source.indexOf(line, from);
    assert.ok(index >= 0, `${what}: ${line}`);
    from = index + line.length;
  }
}

/** Runs upload.py by itself with so many KiB of memory, and sends it a file of so many MiB. */
function uploadWithin(memory: number, size: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const head = '--x\r\nContent-Disposition: form-data; name="file"; filename="zeros"\r\n\r\n';
    const foot = "\r\n--x--\r\n";
    const mebibyte = new Uint8Array(1024 * 1024);
    const child = spawn("/bin/sh", ["-c", `ulimit -v ${memory}; exec "$0"`, `${SITE}/cgi-bin/upload.py`], {
      env: {
        PATH: process.env["PATH"],
        REQUEST_METHOD: "POST",
        CONTENT_TYPE: "multipart/form-data; boundary=x",
        CONTENT_LENGTH: String(head.length + size * mebibyte.length + foot.length),
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text) => printed += text);
    child.stderr.setEncoding("utf8").on("data", (text) => printed += text);
    child.once("error", reject);
    child.once("close", () => resolve(printed));
    child.stdin.on("error", () => {});
    child.stdin.write(head);
    let left = size;
    function more(): void {
      while (left > 0) {
        left--;
        if (!child.stdin.write(mebibyte)) {
          child.stdin.once("drain", more);
          return;
        }
      }
      child.stdin.end(foot);
    }
    more();
  });
}
