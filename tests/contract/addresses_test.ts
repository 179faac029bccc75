/** What `Network.addresses()` owes: the addresses by which others reach this machine. */

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { browserCommand } from "../../adapters/shared/browser.ts";
import { reachableAddresses } from "../../adapters/shared/own_addresses.ts";
import { runtime } from "../_runtime.ts";

test("addresses() are those that the system knows, without its own alone", () => {
  const known = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80|169\.254)/.test(address))
    .map(({ address }) => address);
  assert.deepEqual([...runtime.network.addresses?.() ?? []].sort(), known.sort());
});

test("IPv4 comes first, and what leads nowhere is left out", () => {
  const all = [
    "::1",
    "2001:db8::7",
    "fe80::1",
    "127.0.0.1",
    "127.0.0.2",
    "169.254.3.4",
    "192.0.2.7",
    "fd00::1",
  ];
  assert.deepEqual(reachableAddresses(all.map((address) => ({ address }))), [
    "192.0.2.7",
    "2001:db8::7",
    "fd00::1",
  ]);
});

test("each desktop has its own way to open a URL", () => {
  const url = "http://localhost:8000/?a&b";
  assert.deepEqual(browserCommand("linux", url), ["xdg-open", [url]]);
  assert.deepEqual(browserCommand("darwin", url), ["open", [url]]);
  for (const windows of ["win32", "windows"]) {
    assert.deepEqual(browserCommand(windows, url), ["rundll32", ["url.dll,FileProtocolHandler", url]]);
  }
});
