import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const entry = fileURLToPath(new URL('../../client/index.ts', import.meta.url));

const bundled = build({
  entryPoints: [entry],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  metafile: true,
  write: false,
});

describe('the bundle', () => {
  it('weighs at most 6,400 bytes gzipped', async () => {
    const { outputFiles } = await bundled;
    const bytes = outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
    expect(bytes).toBeLessThanOrEqual(6400);
  });

  it('holds only the client and the limits of the protocol', async () => {
    const { metafile } = await bundled;
    const strangers = Object.keys(metafile.inputs).filter(
      (path) => !/(^|\/)client\/([\w-]+\/)?[\w-]+\.ts$/.test(path),
    );
    expect(strangers.map((path) => path.replace(/^.*\//, ''))).toEqual(['limits.ts']);
  });
});
