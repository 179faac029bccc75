/**
 * A script that was found: what the lookup hands to the environment and to the supervisor.
 *
 * @module
 */

/** A script and how to start it. */
export interface Script {
  /** Absolute path of the script's file: SCRIPT_FILENAME. */
  readonly filename: string;
  /** Decoded URL path to the script, mount included: SCRIPT_NAME. */
  readonly scriptName: string;
  /** Decoded extra path with its leading slash, or `null` when there is none: PATH_INFO. */
  readonly pathInfo: string | null;
  /** Absolute path of the document root: DOCUMENT_ROOT, and the base of PATH_TRANSLATED. */
  readonly documentRoot: string;
  /** Absolute path of what is executed: the script itself, or its interpreter. */
  readonly program: string;
  /** Arguments of `program`, the script's path among them when an interpreter runs it. */
  readonly args: readonly string[];
  /** Absolute path of the working directory. */
  readonly cwd: string;
  /** Whether the script writes a whole HTTP head (`nph-` name). */
  readonly nph: boolean;
}

/** What a request's path leads to. */
export type Lookup =
  | { readonly kind: "script"; readonly script: Script }
  /** Outside of every CGI area: not ours. */
  | { readonly kind: "pass" }
  /** Inside an area, but nothing that may run. `reason` is for the log, and says what to do where that is known. */
  | {
    readonly kind: "refused";
    readonly status: 400 | 403 | 404 | 502;
    readonly reason: string;
    /** Whether the log says so though it is a 404: something is there, and somebody may wonder. */
    readonly told?: true;
  };
