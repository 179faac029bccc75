/**
 * Statuses, and what they mean.
 *
 * @module
 */

/** What a status means. */
export interface StatusMeaning {
  /** The reason phrase, such as `Not Found`. */
  readonly message: string;
  /** A sentence for people. */
  readonly explain: string;
}

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
export const STATUSES: Readonly<Record<number, StatusMeaning>> = {
  100: { message: "Continue", explain: "The request may go on." },
  101: { message: "Switching Protocols", explain: "The protocol is being changed." },
  102: { message: "Processing", explain: "The request is being worked on." },
  103: { message: "Early Hints", explain: "The answer will come with these headers." },
  200: { message: "OK", explain: "Here is what was asked for." },
  201: { message: "Created", explain: "It has been made." },
  202: { message: "Accepted", explain: "It will be done later." },
  203: { message: "Non Authoritative Info", explain: "Somebody on the way has changed the answer." },
  204: { message: "No Content", explain: "It is done, and there is nothing to show." },
  205: { message: "Reset Content", explain: "It is done, and the form can be cleared." },
  206: { message: "Partial Content", explain: "Here is the part that was asked for." },
  207: { message: "Multi Status", explain: "There are several answers in one." },
  208: { message: "Already Reported", explain: "This was listed before." },
  226: { message: "IM Used", explain: "Here is what has changed." },
  300: { message: "Multiple Choices", explain: "There are several to choose from." },
  301: { message: "Moved Permanently", explain: "It has moved for good." },
  302: { message: "Found", explain: "For now it is somewhere else." },
  303: { message: "See Other", explain: "The answer is somewhere else." },
  304: { message: "Not Modified", explain: "It has not changed." },
  305: { message: "Use Proxy", explain: "It is to be had through a proxy." },
  307: { message: "Temporary Redirect", explain: "For now it is somewhere else." },
  308: { message: "Permanent Redirect", explain: "It has moved for good." },
  400: { message: "Bad Request", explain: "The request could not be understood." },
  401: { message: "Unauthorized", explain: "Who are you?" },
  402: { message: "Payment Required", explain: "This has to be paid for." },
  403: { message: "Forbidden", explain: "Access to this is not allowed." },
  404: { message: "Not Found", explain: "Nothing is here." },
  405: { message: "Method Not Allowed", explain: "This cannot be asked for with this method." },
  406: { message: "Not Acceptable", explain: "It is not to be had in a form that was asked for." },
  407: { message: "Proxy Auth Required", explain: "The proxy wants to know who you are." },
  408: { message: "Request Timeout", explain: "The request took too long to come." },
  409: { message: "Conflict", explain: "The request does not fit the state that things are in." },
  410: { message: "Gone", explain: "It was here, and has gone for good." },
  411: { message: "Length Required", explain: "The request must say how long its body is." },
  412: { message: "Precondition Failed", explain: "A condition of the request does not hold." },
  413: { message: "Content Too Large", explain: "The request is too large." },
  414: { message: "URI Too Long", explain: "The address is too long." },
  415: {
    message: "Unsupported Media Type",
    explain: "The request's body is in a form that is not known here.",
  },
  416: { message: "Range Not Satisfiable", explain: "The requested part does not exist." },
  417: { message: "Expectation Failed", explain: "The server cannot do what the request expects." },
  418: { message: "I'm a teapot", explain: "This is a teapot." },
  421: { message: "Misdirected Request", explain: "This server does not answer to that host name." },
  422: { message: "Unprocessable Entity", explain: "The request can be understood and not be followed." },
  423: { message: "Locked", explain: "It is locked." },
  424: { message: "Failed Dependency", explain: "Something that this depends on has failed." },
  425: { message: "Too Early", explain: "It may not be asked for this early." },
  426: { message: "Upgrade Required", explain: "Another protocol is needed for this." },
  428: { message: "Precondition Required", explain: "The request must have a condition." },
  429: { message: "Too Many Requests", explain: "There were too many requests." },
  431: { message: "Request Header Fields Too Large", explain: "The request's headers are too large." },
  451: { message: "Unavailable For Legal Reasons", explain: "The law does not allow to show this." },
  500: { message: "Internal Server Error", explain: "The server failed." },
  501: { message: "Not Implemented", explain: "The server does not know this method." },
  502: { message: "Bad Gateway", explain: "A script did not answer properly." },
  503: { message: "Service Unavailable", explain: "The server is busy. Try again shortly." },
  504: { message: "Gateway Timeout", explain: "A script did not answer in time." },
  505: { message: "HTTP Version Not Supported", explain: "The server does not speak this version of HTTP." },
  506: { message: "Variant Also Negotiates", explain: "The server cannot choose a form of this." },
  507: { message: "Insufficient Storage", explain: "There is no room left." },
  508: { message: "Loop Detected", explain: "This leads to itself." },
  510: { message: "Not Extended", explain: "Something is missing in the request." },
  511: { message: "Network Authentication Required", explain: "The network wants to know who you are." },
};
