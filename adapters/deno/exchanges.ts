/**
 * The requests that are being answered on Deno, and how to end them.
 *
 * @module
 */

import type { Handler } from "../../src/handler.ts";
import { networkAddress } from "../shared/address.ts";
import { isHost } from "../shared/host.ts";
import { brokenResponse, deliverable } from "./response.ts";
import { limitSignal } from "./signal.ts";

/** All requests of a listener. */
export interface Exchanges {
  readonly answer: Deno.ServeHandler<Deno.NetAddr>;
  /** Resolves when none is being answered. */
  none(): Promise<void>;
  /** Ends them now, so that no response looks complete that is not. */
  breakOff(): void;
}

/** What is being done for a request. */
interface Exchange {
  breakOff(): void;
}

/** Answers requests with `handler`. */
export function exchanges(handler: Handler, secure: boolean, local: () => Deno.NetAddr): Exchanges {
  const running = new Set<Exchange>();
  let whenNone = () => {};

  function answer(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Response | Promise<Response> {
    // Deno puts the field before the target to make the URL: `Host: a/secret?` would choose another path.
    const host = request.headers.get("host");
    if (host !== null && !isHost(host)) return new Response(null, { status: 400 });
    const exchange: Exchange = { breakOff() {} };
    running.add(exchange);
    function done(): void {
      running.delete(exchange);
      if (running.size === 0) whenNone();
    }
    info.completed.then(done, done);
    return respond(request, info.remoteAddr, exchange);
  }

  function respond(
    request: Request,
    { hostname, port }: Deno.NetAddr,
    exchange: Exchange,
  ): Promise<Response> {
    const signal = limitSignal(request);
    return new Promise<Response>((resolve, reject) => {
      exchange.breakOff = () => {
        signal.abort();
        resolve(brokenResponse());
      };
      async function run(): Promise<Response> {
        const response = await handler(request, {
          remote: networkAddress(hostname, port),
          local: { hostname: local().hostname, port: local().port },
          secure,
        });
        signal.unfollow();
        const body = await deliverable(request, response ?? new Response(null, { status: 404 }));
        exchange.breakOff = body.breakOff;
        return body.response;
      }
      run().then(resolve, (error) => {
        signal.unfollow();
        // Whatever is answered, nobody is there to see it.
        if (request.bodyUsed && isBodyCutShort(error)) resolve(new Response(null, { status: 400 }));
        else reject(error);
      });
    });
  }

  return {
    answer,
    none: () => running.size === 0 ? Promise.resolve() : new Promise((resolve) => whenNone = resolve),
    breakOff() {
      for (const exchange of running) exchange.breakOff();
    },
  };
}

/** Whether this is what reading a body fails with when its client leaves. Nothing else tells that one has left then. */
function isBodyCutShort(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Http;
}
