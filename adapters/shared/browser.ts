/**
 * How the browser of a desktop is started.
 *
 * @module
 */

/** Program and arguments that open a URL, on a platform as the runtimes call it. */
export function browserCommand(
  platform: string,
  url: string,
): readonly [program: string, args: readonly string[]] {
  switch (platform) {
    case "darwin":
      return ["open", [url]];
    case "win32":
    case "windows":
      // Not `start`: cmd would take an ampersand for the end of the URL.
      return ["rundll32", ["url.dll,FileProtocolHandler", url]];
    default:
      return ["xdg-open", [url]];
  }
}
