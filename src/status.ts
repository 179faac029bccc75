/**
 * Statuses, and what they mean.
 *
 * @module
 */

import { STATUS_TEXT, type StatusCode } from "#std/http/status";

/** What a status means. */
export interface StatusMeaning {
  /** The reason phrase, such as `Not Found`. */
  readonly message: string;
  /** A sentence for people. */
  readonly explain: string;
}

const EXPLANATIONS: Readonly<Record<number, string>> = {
  100: "The request may go on.",
  101: "The protocol is being changed.",
  102: "The request is being worked on.",
  103: "The answer will come with these headers.",
  200: "Here is what was asked for.",
  201: "It has been made.",
  202: "It will be done later.",
  203: "Somebody on the way has changed the answer.",
  204: "It is done, and there is nothing to show.",
  205: "It is done, and the form can be cleared.",
  206: "Here is the part that was asked for.",
  207: "There are several answers in one.",
  208: "This was listed before.",
  226: "Here is what has changed.",
  300: "There are several to choose from.",
  301: "It has moved for good.",
  302: "For now it is somewhere else.",
  303: "The answer is somewhere else.",
  304: "It has not changed.",
  305: "It is to be had through a proxy.",
  307: "For now it is somewhere else.",
  308: "It has moved for good.",
  400: "The request could not be understood.",
  401: "Who are you?",
  402: "This has to be paid for.",
  403: "Access to this is not allowed.",
  404: "Nothing is here.",
  405: "This cannot be asked for with this method.",
  406: "It is not to be had in a form that was asked for.",
  407: "The proxy wants to know who you are.",
  408: "The request took too long to come.",
  409: "The request does not fit the state that things are in.",
  410: "It was here, and has gone for good.",
  411: "The request must say how long its body is.",
  412: "A condition of the request does not hold.",
  413: "The request is too large.",
  414: "The address is too long.",
  415: "The request's body is in a form that is not known here.",
  416: "The requested part does not exist.",
  417: "The server cannot do what the request expects.",
  418: "This is a teapot.",
  421: "This server does not answer to that host name.",
  422: "The request can be understood and not be followed.",
  423: "It is locked.",
  424: "Something that this depends on has failed.",
  425: "It may not be asked for this early.",
  426: "Another protocol is needed for this.",
  428: "The request must have a condition.",
  429: "There were too many requests.",
  431: "The request's headers are too large.",
  451: "The law does not allow to show this.",
  500: "The server failed.",
  501: "The server does not know this method.",
  502: "A script did not answer properly.",
  503: "The server is busy. Try again shortly.",
  504: "A script did not answer in time.",
  505: "The server does not speak this version of HTTP.",
  506: "The server cannot choose a form of this.",
  507: "There is no room left.",
  508: "This leads to itself.",
  510: "Something is missing in the request.",
  511: "The network wants to know who you are.",
};

/**
 * The registered statuses and what they mean: what Python's `http.server` has in `responses`.
 *
 * @example
 * ```ts
 * import { type StatusMeaning, STATUSES } from "htbin";
 *
 * const meaning: StatusMeaning | undefined = STATUSES[404];
 * console.assert(meaning?.message === "Not Found");
 * console.assert(meaning?.explain === "Nothing is here.");
 * ```
 */
export const STATUSES: Readonly<Record<number, StatusMeaning>> = Object.fromEntries(
  Object.entries(EXPLANATIONS).map(([code, explain]) => {
    return [code, { message: STATUS_TEXT[Number(code) as StatusCode] as string, explain }];
  }),
);
