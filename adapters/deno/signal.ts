/**
 * `request.signal` on Deno, kept to what it says everywhere else: the client left before it was answered.
 *
 * @module
 */

const nativeSignal = Object.getOwnPropertyDescriptor(Request.prototype, "signal")!.get!;

/** What a request's signal hears of. */
export interface SignalLimit {
  /** Deno's own signal is not listened to any more. */
  unfollow(): void;
  abort(): void;
}

/**
 * Gives the request a signal that follows Deno's own until it is told not to. Deno's aborts after every response, also
 * one that was delivered.
 */
export function limitSignal(request: Request): SignalLimit {
  let controller: AbortController | null = null;
  let isFollowing = true;
  let stop = () => {};
  function get(): AbortSignal {
    if (controller === null) {
      controller = new AbortController();
      if (isFollowing) stop = follow(nativeSignal.call(request), controller);
    }
    return controller.signal;
  }
  Object.defineProperty(request, "signal", { configurable: true, get });
  return {
    unfollow() {
      isFollowing = false;
      stop();
    },
    abort: () => controller?.abort(),
  };
}

function follow(signal: AbortSignal, controller: AbortController): () => void {
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return () => signal.removeEventListener("abort", abort);
}

const NOTICE = "Deno.serve: request.signal aborts on successful responses";
let silencing = false;

/**
 * Keeps a notice off the operator's terminal that Deno prints once when a signal was looked at and its request was
 * answered. It asks programmers to do what {@linkcode limitSignal} does.
 */
export function silenceAbortNotice(): void {
  if (silencing) return;
  silencing = true;
  const { warn } = console;
  function filter(...data: unknown[]): void {
    if (!String(data[0]).startsWith(NOTICE)) return warn.apply(console, data);
    // deno-lint-ignore no-console
    if (console.warn === filter) console.warn = warn;
  }
  // deno-lint-ignore no-console
  console.warn = filter;
}
