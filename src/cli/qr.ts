/**
 * A URL as a QR code, to be scanned from the screen.
 *
 * @module
 */

/**
 * Draws it, two modules high in each character. With colours it is black and white whatever a theme has made of the first
 * 16; without, it is right on a dark terminal, and inverted on a light one, which most cameras take, too.
 */
export async function qrCode(url: string, colours: boolean): Promise<string> {
  const { renderUnicodeCompact } = await import("uqr");
  const lines = renderUnicodeCompact(url, { border: 2 }).split("\n");
  const shown = colours ? lines.map((line) => `\x1b[38;5;231;48;5;16m${line}\x1b[0m`) : lines;
  return shown.map((line) => `  ${line}\n`).join("") + "\n";
}
