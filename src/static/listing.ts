/**
 * What is in a folder: names first, then what is known of those that are shown.
 *
 * @module
 */

import { type DirectoryEntry, FileError, type FileSystem, type ListedFile } from "../runtime.ts";
import { type DirectoryView, isShowable } from "./directory.ts";
import { listingOrder, type Sortable, sortKey } from "./listing_order.ts";
import type { ListingQuery } from "./listing_query.ts";
import type { FoundDirectory } from "./lookup.ts";
import type { ListingEntry } from "./options.ts";
import { pacer, sortWithPauses, type Turn } from "./yielding.ts";

/** A name of a folder, sorted, not yet looked at. */
interface Name extends Sortable {
  readonly kind: DirectoryEntry["kind"];
}

/** The names of a folder in the order asked for. */
export interface SortedNames {
  readonly count: number;
  /**
   * Describes the names from `start` to before `end`, in pieces. A name that would not be served is left out: it is
   * looked up as a request for it would be.
   */
  entries(start: number, end: number): AsyncGenerator<ListingEntry[]>;
}

/**
 * Entries looked up at the same time: enough to keep the disk busy, few enough to leave descriptors to others, and to be
 * done soon where the answers are in memory.
 */
const AT_ONCE = 8;

/** So many make a piece. */
const PIECE = 32;

/** Names are read so quickly that a look at the clock would take as long. */
const NAMES_A_LOOK = 32;

/** Reads the names of a folder and sorts them. */
export async function readNames(
  view: DirectoryView,
  directory: FoundDirectory,
  query: ListingQuery,
): Promise<SortedNames> {
  const names = await collect(view, directory, query.filter);
  const order = listingOrder(query.sort, query.order);
  if (query.sort === "name") {
    const sorted = await sortWithPauses(names, order, turnOf(view));
    return {
      count: sorted.length,
      entries: (start, end) => describeAll(view, directory, sorted.slice(start, end)),
    };
  }
  const keyed: (Sortable & { readonly entry: ListingEntry })[] = [];
  for await (const piece of describeAll(view, directory, names)) {
    for (const entry of piece) {
      const { name, size, mtimeMs } = entry;
      keyed.push({ entry, key: sortKey(name), name, directory: entry.type === "directory", size, mtimeMs });
    }
  }
  const sorted = await sortWithPauses(keyed, order, turnOf(view));
  return {
    count: sorted.length,
    async *entries(start, end) {
      const last = Math.min(end, sorted.length);
      for (let index = start; index < last; index += PIECE) {
        yield sorted.slice(index, Math.min(index + PIECE, last)).map(({ entry }) => entry);
      }
    },
  };
}

function turnOf({ fileSystem }: DirectoryView): Turn | undefined {
  return fileSystem.turn?.bind(fileSystem);
}

/** Names that the rules for names allow. Only links are looked at: whether they lead to a folder decides their place. */
async function collect(
  view: DirectoryView,
  directory: FoundDirectory,
  filter: string,
): Promise<Name[]> {
  const pause = pacer(turnOf(view));
  const seen = new Set<string>();
  const names: Name[] = [];
  const wanted = filter.toLowerCase();
  const isAlone = directory.places.length === 1;
  let count = 0;
  for (const { real } of directory.places) {
    for await (const { name, kind } of await listDirectory(view.fileSystem, real)) {
      if (++count % NAMES_A_LOOK === 0) await pause();
      if (!isAlone) {
        if (seen.has(name)) continue;
        seen.add(name);
      }
      if (wanted !== "" && !name.toLowerCase().includes(wanted)) continue;
      const answer = kindOf(view, directory, name, kind);
      const isDirectory = typeof answer === "object" ? await answer : answer;
      if (isDirectory === null) continue;
      names.push({ name, key: sortKey(name), directory: isDirectory, kind });
    }
  }
  return names;
}

/** Whether a name is a folder; `null` when it is nothing that is served. */
function kindOf(
  view: DirectoryView,
  directory: FoundDirectory,
  name: string,
  kind: DirectoryEntry["kind"],
): boolean | null | Promise<boolean | null> {
  const { lookup } = view;
  if (kind === "other" || lookup.refusalByName([...directory.segments, name]) !== null) return null;
  if (kind === "directory") return true;
  if (kind === "file") return lookup.isScriptName(name) ? null : false;
  return describe(view, directory, { name, kind }).then((entry) => entry && entry.type === "directory");
}

async function listDirectory(fileSystem: FileSystem, real: string): Promise<AsyncIterable<DirectoryEntry>> {
  return await fileSystem.list(real) ?? (async function* () {})();
}

async function* describeAll(
  view: DirectoryView,
  directory: FoundDirectory,
  names: readonly Pick<Name, "name" | "kind">[],
): AsyncGenerator<ListingEntry[]> {
  const pause = pacer(turnOf(view));
  async function describePiece(
    piece: readonly Pick<Name, "name" | "kind">[],
    files: readonly (ListedFile | null)[],
  ): Promise<ListingEntry[]> {
    const entries = piece.map((name, index) => plainEntry(name, files[index]));
    const unknown = [...entries.keys()].filter((index) => entries[index] === null);
    for (let start = 0; start < unknown.length; start += AT_ONCE) {
      const found = unknown.slice(start, start + AT_ONCE).map(async (index) => {
        entries[index] = await describe(view, directory, piece[index] as Name);
      });
      await Promise.all(found);
      await pause();
    }
    await pause();
    return entries.filter((entry) => entry !== null);
  }
  let start = 0;
  for await (const files of plainFiles(view, directory, names)) {
    yield await describePiece(names.slice(start, start + files.length), files);
    start += files.length;
  }
  for (; start < names.length; start += PIECE) {
    yield await describePiece(names.slice(start, start + PIECE), []);
  }
}

/** What is known of the names at once, in pieces, where that is as good as a look at each by itself. */
async function* plainFiles(
  { fileSystem, lookup }: DirectoryView,
  directory: FoundDirectory,
  names: readonly Pick<Name, "name">[],
): AsyncGenerator<readonly (ListedFile | null)[]> {
  const real = fileSystem.filesIn === undefined ? null : await lookup.plainFolder(directory);
  if (real !== null) yield* fileSystem.filesIn!(real, names.map(({ name }) => name));
}

/** A name that was a folder or a link when it was read is looked up: other rules may hold for what it is by now. */
function plainEntry(
  { name, kind }: Pick<Name, "name" | "kind">,
  file: ListedFile | null | undefined,
): ListingEntry | null {
  if (kind !== "file" || !file) return null;
  const { size, mtimeMs } = file;
  return { name, type: "file", size, mtimeMs, link: false };
}

/** What is known of a name, or `null` when a request for it would not be answered with it. */
async function describe(
  view: DirectoryView,
  directory: FoundDirectory,
  { name, kind }: Pick<Name, "name" | "kind">,
): Promise<ListingEntry | null> {
  const link = kind === "link";
  try {
    const found = await view.lookup.find([...directory.segments, name]);
    if (found.kind === "refused") return null;
    if (found.kind === "file") {
      await found.file.close();
      const { size, mtimeMs } = found.file.info;
      return { name, type: "file", size, mtimeMs, link };
    }
    if (!await isShowable(view, found)) return null;
    return { name, type: "directory", size: null, mtimeMs: found.places[0]?.info.mtimeMs ?? null, link };
  } catch (error) {
    // Not readable: a request for it is answered 403. But a listing that lacks names for want of descriptors would lie.
    if (error instanceof FileError && error.reason !== "exhausted") return null;
    throw error;
  }
}
