import { bundle, run } from './poster-bundle.ts';
import { median } from './poster-rounds.ts';

export interface ColdStart {
  readonly kb: number;
  /** Load and construct, in milliseconds. */
  readonly ms: number;
}

const runs = 21;
const options = `{ endpoint: 'https://id.execute-api.us-east-1.amazonaws.com/live', region: 'us-east-1' }`;

/** The plain client and the poster around it, each loaded by a fresh Node, in turns. */
export async function measureColdStart(): Promise<{ plain: ColdStart; ours: ColdStart }> {
  const plain = await bundle(
    'plain-client',
    `import { ApiGatewayManagementApiClient, DeleteConnectionCommand, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
     export const made = [new ApiGatewayManagementApiClient(${options}), PostToConnectionCommand, DeleteConnectionCommand];`,
  );
  const ours = await bundle(
    'poster',
    `import { createPoster } from '../core/poster.ts'; export const made = createPoster(${options});`,
  );
  const loader = await bundle(
    'load',
    `const startedAt = performance.now();
     require(JSON.parse(process.argv[2]).file);
     console.log(JSON.stringify({ ms: performance.now() - startedAt }));`,
  );
  const taken = { plain: [] as number[], ours: [] as number[] };
  for (let at = 0; at < runs; at += 1) {
    taken.plain.push(await load(plain.file, loader.file));
    taken.ours.push(await load(ours.file, loader.file));
  }
  return {
    plain: { kb: plain.bytes / 1000, ms: median(taken.plain) },
    ours: { kb: ours.bytes / 1000, ms: median(taken.ours) },
  };
}

async function load(file: string, loader: string): Promise<number> {
  const { ms } = (await run(loader, { file })) as { ms: number };
  return ms;
}
