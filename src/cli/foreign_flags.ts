/**
 * Flags that other servers have, and what they are here.
 *
 * @module
 */

/** Advice by the flag's name. */
export const FOREIGN_FLAGS: Readonly<Record<string, string>> = {
  "--port": "the port is given by itself: htbin 8000",
  "-a": "the address to listen on is --bind",
  "--address": "the address to listen on is --bind",
  "--host": "the address to listen on is --bind",
  "--hostname": "the address to listen on is --bind",
  "-l": "the address to listen on is --bind",
  "--listen": "the address to listen on is --bind",
  "--root": "the folder to serve is --directory",
  "-r": "the folder to serve is --directory",
  "--dir": "the folder to serve is --directory",
  "-s": "for a single-page application use --spa; to log failures only, --quiet",
  "--single": "for a single-page application use --spa",
  "--silent": "to log failures only use --quiet",
  "-v": "for the version use --version; each request is logged anyway",
};
