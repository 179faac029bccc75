/**
 * IP addresses and blocks of them (CIDR), as bytes.
 *
 * @module
 */

/** An address as its 4 or 16 bytes. */
export type IpBytes = readonly number[];

/** A block of addresses: the first `bits` bits of `bytes`. */
export interface IpBlock {
  readonly bytes: IpBytes;
  readonly bits: number;
}

/**
 * The bytes of an address, or `null` when the text is none. Brackets and a zone (`fe80::1%eth0`) are ignored. An IPv4
 * address in IPv6's clothes (`::ffff:192.0.2.1`, what a socket for both reports) is the IPv4 address.
 */
export function parseIp(text: string): IpBytes | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  if (!bare.includes(":")) return parseIp4(bare);
  const bytes = parseIp6(bare.replace(/%.*$/, ""));
  const isMapped = bytes !== null && bytes.slice(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.slice(12) : bytes;
}

/**
 * An address as CGI has it (RFC 3875 section 4.1.8): without brackets, and the IPv4 address where it is one. Text that
 * is no address is left alone.
 */
export function plainAddress(text: string): string {
  if (!text.includes(":")) return text;
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  if (!bare.includes(":") || !bare.toLowerCase().includes("ffff:")) return bare;
  const bytes = parseIp(bare);
  return bytes?.length === 4 ? bytes.join(".") : bare;
}

/** A block from `10.0.0.0/8`, `::1`, `192.0.2.1`, or `null` when the text is none. */
export function parseIpBlock(text: string): IpBlock | null {
  const [address = "", length, ...rest] = text.split("/");
  const bytes = parseIp(address);
  if (bytes === null || rest.length > 0) return null;
  const most = bytes.length * 8;
  if (length === undefined) return { bytes, bits: most };
  if (!/^\d{1,3}$/.test(length)) return null;
  // `::ffff:10.0.0.0/104` counts the 96 bits of the clothes.
  const bits = Number(length) - (most === 32 && address.includes(":") ? 96 : 0);
  return bits >= 0 && bits <= most ? { bytes, bits } : null;
}

/** Whether a block holds an address. */
export function isInBlock(address: IpBytes, block: IpBlock): boolean {
  if (address.length !== block.bytes.length) return false;
  return address.every((byte, index) => {
    const shift = 8 - Math.min(8, Math.max(0, block.bits - index * 8));
    return byte >> shift === (block.bytes[index] as number) >> shift;
  });
}

function parseIp4(text: string): IpBytes | null {
  // Without leading zeros, which some read as octal: no address may mean two things.
  if (!/^(?:(?:0|[1-9]\d{0,2})(?:\.|$)){4}$/.test(text) || text.endsWith(".")) {
    return null;
  }
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseIp6(text: string): IpBytes | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] as string, true) : [];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function parseGroups(text: string, mayEndInIp4: boolean): number[] | null {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (mayEndInIp4 && index === groups.length - 1 && group.includes(".")) {
      const last = parseIp4(group);
      if (last === null) return null;
      bytes.push(...last);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}
