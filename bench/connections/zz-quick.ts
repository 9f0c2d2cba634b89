import { bundle, run } from './bundle.ts';
import { startStub } from './stub.ts';
const stub = await startStub();
const rounds = await bundle('rounds.ts');
for (const d of process.argv.slice(3).map(Number)) {
  const c = await run(rounds.file, { endpoint: stub.endpoint(d), cert: stub.cert, rounds: Number(process.argv[2]) }) as any[];
  const base = c.find(x => x.peer.startsWith('undici')).microsPerPost;
  console.log(d, c.map(x => `${x.peer} ${x.microsPerPost.toFixed(1)} (${(x.microsPerPost/base).toFixed(2)})`).join(' | '));
}
stub.close();
