import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';
import * as z from 'zod/mini';

const sourceMap = z.looseObject({
  sources: z.array(z.string()),
  names: z.array(z.string()),
  mappings: z.string(),
});

/**
 * The same source map without what comes from packages. Node reads the whole map at a cold start, and the AWS SDK
 * makes up most of it.
 */
export function withoutPackages(json: string): string {
  const map = sourceMap.parse(JSON.parse(json));
  const isKept = map.sources.map((source) => !source.includes('node_modules/'));
  const sources = createIndex(map.sources);
  const names = createIndex(map.names);

  function keep([column, source, line, sourceColumn, name]: SourceMapSegment): SourceMapSegment {
    if (source === undefined || line === undefined || sourceColumn === undefined || !isKept[source])
      return [column];
    const place = [column, sources.take(source), line, sourceColumn] as const;
    return name === undefined ? [...place] : [...place, names.take(name)];
  }

  // Of several segments without a source, the first says it all.
  const mappings = decode(map.mappings).map((line) =>
    line.map(keep).filter((segment, index, all) => segment.length > 1 || all[index - 1]?.length !== 1),
  );
  return JSON.stringify({ ...map, mappings: encode(mappings), sources: sources.taken, names: names.taken });
}

/** Numbers the texts that are taken, in the order in which they are taken. */
function createIndex(texts: readonly string[]) {
  const numbers = new Map<number, number>();
  const taken: string[] = [];
  return {
    taken,
    take(old: number): number {
      const known = numbers.get(old);
      if (known !== undefined) return known;
      numbers.set(old, taken.length);
      return taken.push(texts[old] ?? '') - 1;
    },
  };
}
