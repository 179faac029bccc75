/**
 * From a path to the file or folder it stands for: the one decision about access, which serving and listing share.
 *
 * @module
 */

import { FileError, type FileInfo, type FileSystem, type OpenFile } from "../runtime.ts";
import type { Evidence } from "./evidence.ts";
import { type DotPolicy, isDotName, isSafeName, isWindowsName } from "./names.ts";
import { lastSegment, segmentsBelow, segmentsBeside } from "./real_path.ts";
import type { HidesPath } from "./hidden.ts";
import type { Root, Roots, RootSource } from "./roots.ts";
import type { CgiAreas } from "../cgi/area.ts";

/** A folder in one of the roots. */
export interface Place {
  /** Index of the root. */
  readonly root: number;
  /** Absolute path without links. */
  readonly real: string;
  readonly info: FileInfo;
}

/** A file that may be served. Whoever gets it closes it. */
export interface FoundFile {
  readonly kind: "file";
  /** The path below the root by which it was asked for. */
  readonly segments: readonly string[];
  /** Its name there, by which its media type is chosen. */
  readonly name: string;
  readonly file: OpenFile;
  /** Index of the root it is in. */
  readonly root: number;
  /** Whether no link below the root led to it. */
  readonly isLiteral: boolean;
}

/** A folder, in every root that has it. */
export interface FoundDirectory {
  readonly kind: "directory";
  readonly segments: readonly string[];
  readonly places: readonly Place[];
}

/** Nothing for the client. */
export interface Refused {
  readonly kind: "refused";
  readonly status: 403 | 404;
  /** `true` when a rule refuses it, `false` when nothing is there. */
  readonly byRule: boolean;
}

/** What a path stands for. */
export type Found = FoundFile | FoundDirectory | Refused;

/** What lookups go by. */
export interface LookupRules {
  readonly fileSystem: FileSystem;
  readonly roots: RootSource;
  readonly areas: CgiAreas;
  /** What the operator has named. */
  readonly isHidden: HidesPath;
  readonly dotfiles: DotPolicy;
  readonly followSymlinks: boolean | "never";
  /** Told of a link that leads out of the root. */
  readonly onEscape: (segments: readonly string[]) => void;
}

/** Looks up a path below the root. */
export interface Lookup {
  /**
   * Opens the file, or finds the folder. Rejects with a `FileError` for what is there but cannot be used.
   *
   * `root` looks in one root only. `evidence` is told what the result depends on.
   */
  find(segments: readonly string[], root?: number, evidence?: Evidence | null): Promise<Found>;
  /** The refusal that the path gets for its names alone, or `null`. */
  refusalByName(segments: readonly string[]): Refused | null;
  /** Whether a file with this name would be refused as a script. */
  isScriptName(name: string): boolean;
  /**
   * The folder in which a regular file is found under its name, if that is not refused and the file can be read; `null`
   * where more has to be looked at, for each name anew.
   */
  plainFolder(directory: FoundDirectory): Promise<string | null>;
}

const ABSENT: Refused = { kind: "refused", status: 404, byRule: false };
const FORBIDDEN: Refused = { kind: "refused", status: 404, byRule: true };
const DENIED: Refused = { kind: "refused", status: 403, byRule: true };

/** Whether `real` is where the segments lead by themselves, without a link or another spelling of a name. */
function isLiteral(real: string, segments: readonly string[], root: Root): boolean {
  if (real === [root.real === "/" ? "" : root.real, ...segments].join("/")) return true;
  return root.windows && segmentsBelow(root.real, real)?.join("/") === segments.join("/");
}

/** Makes the lookup for a set of rules. */
export function createLookup(rules: LookupRules): Lookup {
  const { fileSystem, areas, isHidden, dotfiles } = rules;
  const dotRefusal = dotfiles === "deny" ? DENIED : FORBIDDEN;

  function refusalByName(segments: readonly string[]): Refused | null {
    for (const segment of segments) {
      if (!isSafeName(segment)) return FORBIDDEN;
      if (dotfiles !== true && isDotName(segment)) return dotRefusal;
    }
    return areas.hidesPath(segments) || isHidden(segments) ? FORBIDDEN : null;
  }

  /** The same rules for where the path really leads: a link must not get around them. */
  function refusalByRealPath(real: string, root: Root, roots: Roots): Refused | null {
    const below = segmentsBelow(root.real, real);
    if (below === null && rules.followSymlinks !== true) return FORBIDDEN;
    if (dotfiles !== true && (below ?? segmentsBeside(root.real, real)).some(isDotName)) return dotRefusal;
    if (below !== null && (areas.hidesPath(below) || isHidden(below))) return FORBIDDEN;
    return roots.scriptFolders.some((folder) => segmentsBelow(folder, real) !== null) ? FORBIDDEN : null;
  }

  async function findReal(
    segments: readonly string[],
    index: number,
    roots: Roots,
  ): Promise<string | Refused> {
    const root = roots.list[index] as Root;
    if (root.windows && !segments.every(isWindowsName)) return FORBIDDEN;
    const real = await fileSystem.realPath([root.path, ...segments].join("/") || "/");
    if (real === null) return ABSENT;
    if (roots.scriptFolders.length === 0 && isLiteral(real, segments, root)) return real;
    let refusal = refusalByRealPath(real, root, roots);
    if (refusal !== null && segmentsBelow(root.real, real) === null) {
      // The root may be a link that was switched a moment ago.
      const fresh = await rules.roots.refresh();
      const now = fresh.list[index];
      if (now !== undefined && now.real !== root.real) refusal = refusalByRealPath(real, now, fresh);
      if (refusal !== null) rules.onEscape(segments);
    }
    if (refusal !== null) return refusal;
    return rules.followSymlinks === "never" && !isLiteral(real, segments, root) ? FORBIDDEN : real;
  }

  /** Since its path was resolved, a folder on the way may have been replaced by a link that leads elsewhere. */
  function isElsewhere(file: OpenFile, real: string, root: Root, roots: Roots): boolean {
    const opened = file.realPath?.() ?? real;
    if (opened === real) return false;
    return areas.hidesName(lastSegment(opened)) || refusalByRealPath(opened, root, roots) !== null;
  }

  async function findIn(
    segments: readonly string[],
    index: number,
    roots: Roots,
    evidence: Evidence | null = null,
  ): Promise<FoundFile | Place | Refused> {
    const root = roots.list[index] as Root;
    const found = await findUntold(segments, index, roots);
    // A folder is vouched for by what is found in it.
    if ("info" in found) return found;
    if (found === ABSENT) evidence?.absent(root.path, segments);
    else if (found.kind === "file" && found.isLiteral) evidence?.found(root.path, segments, found.file.info);
    else evidence?.spoil();
    return found;
  }

  async function findUntold(
    segments: readonly string[],
    index: number,
    roots: Roots,
  ): Promise<FoundFile | Place | Refused> {
    const real = await findReal(segments, index, roots);
    if (typeof real !== "string") return real;
    const name = segments.at(-1) ?? lastSegment(real);
    if (areas.hidesName(name) || areas.hidesName(lastSegment(real))) {
      const info = await fileSystem.stat(real);
      if (info?.kind !== "directory") return FORBIDDEN;
      return { root: index, real, info };
    }
    // Opened first and asked later: what was opened is what is sent, whatever happens to the name meanwhile.
    const file = await fileSystem.open(real);
    if (file !== null) {
      const root = roots.list[index] as Root;
      if (!isElsewhere(file, real, root, roots)) {
        return {
          kind: "file",
          segments,
          name,
          file,
          root: index,
          isLiteral: isLiteral(real, segments, root),
        };
      }
      await file.close();
      throw new FileError("changed", `Cannot open ${real}: it has just come to lead elsewhere`);
    }
    const info = await fileSystem.stat(real);
    if (info?.kind === "directory") return { root: index, real, info };
    return info === null ? ABSENT : FORBIDDEN;
  }

  /** Whether what an upper root has on the way hides the path in the roots below it. */
  async function isMasked(segments: readonly string[], upper: number, roots: Roots): Promise<boolean> {
    for (let length = 1; length < segments.length; length++) {
      const found = await findIn(segments.slice(0, length), upper, roots);
      if ("info" in found) continue;
      if (found.kind === "file") await found.file.close();
      return found !== ABSENT;
    }
    return false;
  }

  async function findInAll(
    segments: readonly string[],
    roots: Roots,
    evidence: Evidence | null,
  ): Promise<Found> {
    const places: Place[] = [];
    for (let index = 0; index < roots.list.length; index++) {
      // What hides a path of a lower root is more than can be looked at again.
      if (index > 0) evidence?.spoil();
      const found = await findIn(segments, index, roots, evidence);
      if ("info" in found) {
        places.push(found);
        continue;
      }
      if (places.length > 0) {
        // A folder of that name is above: what is below it is hidden by it.
        if (found.kind === "file") await found.file.close();
        if (found === ABSENT) continue;
        break;
      }
      if (found !== ABSENT) return found;
      if (index + 1 < roots.list.length && await isMasked(segments, index, roots)) break;
    }
    return places.length > 0 ? { kind: "directory", segments, places } : ABSENT;
  }

  return {
    refusalByName,
    isScriptName: areas.hidesName,
    async plainFolder({ segments, places: [place, ...others] }) {
      const { list: [root, ...lower], scriptFolders } = await rules.roots.current();
      if (place === undefined || root === undefined || others.length + lower.length > 0) return null;
      const { real } = place;
      if (place.root !== 0 || root.windows || !isLiteral(real, segments, root)) return null;
      // What is in a folder of scripts by its name is refused by it. But such a folder may be a link to anything.
      const isNamed = (folder: string) => areas.directories.some((names) => isLiteral(folder, names, root));
      return scriptFolders.every(isNamed) ? real : null;
    },
    async find(segments, root, evidence = null) {
      const refusal = refusalByName(segments);
      if (refusal !== null) return refusal;
      const current = rules.roots.current();
      const roots = current instanceof Promise ? await current : current;
      evidence?.within(roots);
      if (root === undefined) return findInAll(segments, roots, evidence);
      const found = root < roots.list.length ? await findIn(segments, root, roots, evidence) : ABSENT;
      return "info" in found ? { kind: "directory", segments, places: [found] } : found;
    },
  };
}
