/**
 * What is in a folder: names first, then what is known of those that are shown.
 *
 * @module
 */

import { type DirectoryEntry, FileError, type FileSystem } from "../runtime.ts";
import { type DirectoryView, isShowable } from "./directory.ts";
import { listingOrder, type Sortable, sortKey } from "./listing_order.ts";
import type { ListingQuery } from "./listing_query.ts";
import type { FoundDirectory } from "./lookup.ts";
import type { ListingEntry } from "./options.ts";
import { pacer, sortWithPauses } from "./yielding.ts";

/** A name of a folder, sorted, not yet looked at. */
interface Name extends Sortable {
  readonly link: boolean;
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

/** Entries looked up at the same time: enough to keep the disk busy, few enough to leave descriptors to others. */
const AT_ONCE = 32;

/** Reads the names of a folder and sorts them. */
export async function readNames(
  view: DirectoryView,
  directory: FoundDirectory,
  query: ListingQuery,
): Promise<SortedNames> {
  const names = await collect(view, directory, query.filter);
  const order = listingOrder(query.sort, query.order);
  if (query.sort === "name") {
    const sorted = await sortWithPauses(names, order);
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
  const sorted = await sortWithPauses(keyed, order);
  return {
    count: sorted.length,
    async *entries(start, end) {
      const last = Math.min(end, sorted.length);
      for (let index = start; index < last; index += AT_ONCE) {
        yield sorted.slice(index, Math.min(index + AT_ONCE, last)).map(({ entry }) => entry);
      }
    },
  };
}

/** Names that the rules for names allow. Only links are looked at: whether they lead to a folder decides their place. */
async function collect(
  view: DirectoryView,
  directory: FoundDirectory,
  filter: string,
): Promise<Name[]> {
  const pause = pacer();
  const seen = new Set<string>();
  const names: Name[] = [];
  const wanted = filter.toLowerCase();
  const isAlone = directory.places.length === 1;
  for (const { real } of directory.places) {
    for await (const { name, kind } of await listDirectory(view.fileSystem, real)) {
      const due = pause();
      if (due !== undefined) await due;
      if (!isAlone) {
        if (seen.has(name)) continue;
        seen.add(name);
      }
      if (wanted !== "" && !name.toLowerCase().includes(wanted)) continue;
      const isDirectory = await kindOf(view, directory, name, kind);
      if (isDirectory === null) continue;
      names.push({ name, key: sortKey(name), directory: isDirectory, link: kind === "link" });
    }
  }
  return names;
}

/** Whether a name is a folder; `null` when it is nothing that is served. */
async function kindOf(
  view: DirectoryView,
  directory: FoundDirectory,
  name: string,
  kind: DirectoryEntry["kind"],
): Promise<boolean | null> {
  const { lookup } = view;
  if (kind === "other" || lookup.refusalByName([...directory.segments, name]) !== null) return null;
  if (kind === "directory") return true;
  if (kind === "file") return lookup.isScriptName(name) ? null : false;
  const entry = await describe(view, directory, { name, link: true });
  return entry === null ? null : entry.type === "directory";
}

async function listDirectory(fileSystem: FileSystem, real: string): Promise<AsyncIterable<DirectoryEntry>> {
  return await fileSystem.list(real) ?? (async function* () {})();
}

async function* describeAll(
  view: DirectoryView,
  directory: FoundDirectory,
  names: readonly Pick<Name, "name" | "link">[],
): AsyncGenerator<ListingEntry[]> {
  for (let start = 0; start < names.length; start += AT_ONCE) {
    const piece = names.slice(start, start + AT_ONCE).map((name) => describe(view, directory, name));
    yield (await Promise.all(piece)).filter((entry) => entry !== null);
  }
}

/** What is known of a name, or `null` when a request for it would not be answered with it. */
async function describe(
  view: DirectoryView,
  directory: FoundDirectory,
  { name, link }: Pick<Name, "name" | "link">,
): Promise<ListingEntry | null> {
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
