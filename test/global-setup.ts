import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildSite } from '../scripts/build-site.ts';
import { synthesise } from '../scripts/synthesise.ts';
import { readTableSchemas, type TableSchemas } from './table-schemas.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The synthesised app, as `npm start` runs it: with the examples. */
    assembly: string;
    /** The tables of that app. */
    tableSchemas: TableSchemas;
    /** The built page of `/`. */
    site: string;
  }
}

/** Synthesises the app once for all tests that run it, or on its tables. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-test-'));
  // Whatever a test or what it runs leaves behind goes with the folder.
  process.env.TMPDIR = folder;
  const assembly = path.join(folder, 'cdk.out');
  const site = path.join(folder, 'site');
  await Promise.all([synthesise(assembly, { context: { examples: true, scheduledPublishes: true } }), buildSite(site)]);
  project.provide('assembly', assembly);
  project.provide('tableSchemas', await readTableSchemas(assembly));
  project.provide('site', site);
  return () => rm(folder, { recursive: true, force: true });
}
