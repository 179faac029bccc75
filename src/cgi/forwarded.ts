/**
 * Who a request really came from when it came through proxies: `Forwarded` (RFC 7239) and `X-Forwarded-*`, believed
 * only from proxies that are trusted.
 *
 * @module
 */

import type { NetworkAddress } from "../runtime.ts";
import { type IpBlock, isInBlock, parseIp, parseIpBlock, plainAddress } from "./ip_address.ts";
import { type HostAndPort, parseHost } from "../host.ts";

/** What trusted proxies say of a request. `null` where they say nothing. */
export interface Forwarded {
  readonly address: string;
  readonly port: number | null;
  readonly scheme: "http" | "https" | null;
  readonly host: HostAndPort | null;
  /** The port the client asked, when it was said apart from the host. */
  readonly serverPort: number | null;
}

/** One proxy's word, the nearest first. */
interface Hop {
  /** As it stands: an address, perhaps with a port, or something else. */
  readonly from: string;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: string | null;
}

/** Reads what proxies say; `null` when the request came directly, or through somebody who is not trusted. */
export type ReadForwarded = (
  headers: Pick<Headers, "get">,
  remote: NetworkAddress | null | undefined,
) => Forwarded | null;

/**
 * Makes a reader that believes the proxies with these addresses (`127.0.0.1`, `10.0.0.0/8`, `::1`).
 *
 * The client is the right-most address that is not a trusted proxy's: everything to the left of it is that client's own
 * invention. Where both kinds of field are there, `X-Forwarded-For` counts: it is what most proxies write, and one that
 * writes it lets a client's own `Forwarded` through untouched.
 *
 * @throws {TypeError} For an entry that is no address and no block of addresses.
 */
export function createForwarded(
  trustedProxies: readonly string[],
): ReadForwarded {
  const blocks = trustedProxies.map(parseTrusted);
  function isTrusted(address: string): boolean {
    const bytes = parseIp(address);
    return bytes !== null && blocks.some((block) => isInBlock(bytes, block));
  }
  return function readForwarded(headers, remote) {
    if (!remote || blocks.length === 0 || !isTrusted(remote.hostname)) {
      return null;
    }
    return findClient(readHops(headers), remote, isTrusted);
  };
}

function findClient(
  hops: readonly Hop[],
  remote: NetworkAddress,
  isTrusted: (address: string) => boolean,
): Forwarded {
  let found: Forwarded = {
    address: plainAddress(remote.hostname),
    port: remote.port,
    scheme: null,
    host: null,
    serverPort: null,
  };
  for (const hop of hops) {
    const from = parseNode(hop.from);
    // "unknown", "_hidden" or rubbish: the proxy behind it is the last one known, but what it says of the rest holds.
    found = {
      address: from?.address ?? found.address,
      port: from === null ? found.port : from.port,
      scheme: parseScheme(hop.scheme) ?? found.scheme,
      host: (hop.host === null ? null : parseHost(hop.host)) ?? found.host,
      serverPort: parsePort(hop.port) ?? found.serverPort,
    };
    if (from === null || !isTrusted(from.address)) break;
  }
  return found;
}

/** The hops from the nearest to the farthest: backwards, as proxies append. */
function readHops(headers: Pick<Headers, "get">): readonly Hop[] {
  const chain = splitList(headers.get("x-forwarded-for"));
  const standard = headers.get("forwarded");
  if (chain.length === 0 && standard !== null) return parseForwarded(standard);
  const schemes = splitList(headers.get("x-forwarded-proto"));
  const hosts = splitList(headers.get("x-forwarded-host"));
  const ports = splitList(headers.get("x-forwarded-port"));
  // A proxy that says nothing of the address may still say the rest.
  const froms = chain.length === 0 ? [""] : chain;
  return froms.map((from, index) => ({
    from,
    scheme: beside(schemes, froms, index),
    host: beside(hosts, froms, index),
    port: beside(ports, froms, index),
  })).reverse();
}

/** The item that belongs to the address at `index`; a list of another length says only what the nearest proxy saw. */
function beside(
  list: readonly string[],
  froms: readonly string[],
  index: number,
): string | null {
  if (list.length === froms.length) return list[index] ?? null;
  return index === froms.length - 1 ? list.at(-1) ?? null : null;
}

function splitList(value: string | null): readonly string[] {
  if (value === null || value.trim() === "") return [];
  return value.split(",").map((item) => item.trim());
}

const PAIR = /\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z:[\]-]+)|"((?:[^"\\]|\\.)*)")\s*/y;

/** An element of more than one comma inside quotes is nobody's. */
const MOST_COMMAS = 4;

/**
 * The elements of a `Forwarded` field (RFC 7239 section 4), last one first. Read from its end, so that an open quote
 * that a client sent cannot swallow what a proxy wrote behind it.
 */
function parseForwarded(value: string): readonly Hop[] {
  const parts = value.split(",");
  const hops: Hop[] = [];
  for (let end = parts.length; end > 0;) {
    let start = end - 1;
    let text = parts[start] as string;
    let hop = parseElement(text);
    while (hop === null && start > 0 && end - start <= MOST_COMMAS) {
      text = `${parts[--start]},${text}`;
      hop = parseElement(text);
    }
    if (hop === null) return [...hops, { from: "", scheme: null, host: null, port: null }];
    hops.push(hop);
    end = start;
  }
  return hops;
}

function parseElement(text: string): Hop | null {
  const pairs = new Map<string, string>();
  for (let at = 0; at < text.length; at++) {
    PAIR.lastIndex = at;
    const match = PAIR.exec(text);
    if (match === null) return null;
    const [pair, name = "", token, quoted = ""] = match;
    const key = name.toLowerCase();
    if (pairs.has(key)) return null;
    pairs.set(key, token ?? quoted.replace(/\\(.)/g, "$1"));
    at += pair.length;
    if (at < text.length && text[at] !== ";") return null;
  }
  if (pairs.size === 0) return null;
  return {
    from: pairs.get("for") ?? "",
    scheme: pairs.get("proto") ?? null,
    host: pairs.get("host") ?? null,
    port: null,
  };
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
function parseNode(
  text: string,
): { readonly address: string; readonly port: number | null } | null {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? text;
  if (parseIp(address) === null || address.includes("%")) return null;
  return { address: plainAddress(address), port: parsePort(match?.[3] ?? null) };
}

function parseScheme(text: string | null): "http" | "https" | null {
  const scheme = text?.toLowerCase();
  return scheme === "http" || scheme === "https" ? scheme : null;
}

function parsePort(text: string | null): number | null {
  if (text === null || !/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port >= 1 && port <= 65535 ? port : null;
}

/**
 * The addresses of a proxy to trust.
 *
 * @throws {TypeError} For what is neither an address nor a block of them.
 */
export function parseTrusted(text: string): IpBlock {
  const block = parseIpBlock(text);
  if (block === null) {
    throw new TypeError(
      `Cannot trust the proxy "${text}": it must be an address or a block of addresses, such as "10.0.0.0/8"`,
    );
  }
  return block;
}
