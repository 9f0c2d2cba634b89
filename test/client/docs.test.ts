import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readOptions } from '../../client/options.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = `${root}docs/client.md`;

describe('docs/client.md', () => {
  let text: string;
  beforeAll(async () => {
    text = await readFile(page, 'utf8');
  });

  it('lists every option, with its default', () => {
    const rows = text
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim().replace(/[`,]/g, '')));
    const listed = new Map(rows.map(([, name = '', value = '']) => [name, value]));
    const isIndexed = (name: string) => !['url', 'token', 'WebSocket', 'clock', 'page'].includes(name);
    const defaults = Object.entries(readOptions({ url: 'wss://x', token: '' }));
    for (const [name, value] of defaults.filter(([each]) => isIndexed(each))) {
      expect(listed.get(name), name).toBe(JSON.stringify(value));
    }
  });
});
