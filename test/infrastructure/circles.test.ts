import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Each node with the nodes that it imports. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const folders = ['lib', 'lambdas', 'core', 'protocol', 'publisher', 'cli', 'client', 'console', 'local'];
const files = folders.flatMap(sourcesIn);

/** Files of the product with the files that they import, type imports included. */
const imports: Graph = new Map(files.map((file) => [file, new Set(importsOf(file))]));

/** The same for the rooms of `core/`. A file directly in `core/` is a room of its own. */
const rooms: Graph = graphOf(
  [...imports].flatMap(([file, targets]) =>
    [...targets]
      .filter((target) => [file, target].every((each) => each.startsWith('core/')))
      .map((target): [string, string] => [roomOf(file), roomOf(target)]),
  ),
);

describe('imports', () => {
  it('form no circle among files', () => {
    expect(files.length).toBeGreaterThan(150);
    expect(circleIn(imports)).toBeUndefined();
  });

  it('form no circle among the rooms of core', () => {
    expect(rooms.size).toBeGreaterThan(5);
    expect(circleIn(rooms)).toBeUndefined();
  });

  it('would be reported if they formed a circle', () => {
    const edges: [string, string][] = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'b'],
    ];
    expect(circleIn(graphOf(edges))).toEqual(['b', 'c', 'b']);
  });
});

function sourcesIn(folder: string): string[] {
  return readdirSync(path.join(repository, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .filter((name) => /\.tsx?$/.test(name) && !/\.d\.ts$|\/(dist|node_modules)\//.test(name));
}

function importsOf(file: string): string[] {
  const code = readFileSync(path.join(repository, file), 'utf8');
  // An import statement begins a line. `import('…')` may stand anywhere.
  const specifiers = code.matchAll(/(?:^(?:import|export)\b[^;'"]*?|\bimport\()['"](\.[^'"]+)['"]/gms);
  return [...specifiers].map(([, specifier = '']) => path.posix.join(path.posix.dirname(file), specifier));
}

function roomOf(file: string): string {
  return file.split('/').slice(0, 2).join('/');
}

function graphOf(edges: readonly (readonly [string, string])[]): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [from, to] of edges) {
    if (from !== to) graph.set(from, (graph.get(from) ?? new Set()).add(to));
  }
  return graph;
}

/** The first circle that a depth-first search finds, from a node back to itself. */
function circleIn(graph: Graph): readonly string[] | undefined {
  const done = new Set<string>();
  function walk(node: string, way: readonly string[]): readonly string[] | undefined {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...way, node]);
      if (circle) return circle;
    }
    done.add(node);
    return undefined;
  }
  for (const node of graph.keys()) {
    const circle = walk(node, []);
    if (circle) return circle;
  }
  return undefined;
}
