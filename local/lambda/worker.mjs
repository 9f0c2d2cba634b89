/**
 * One execution environment of one function. It loads the handler, then handles one event at a time. It is plain
 * JavaScript, since a worker thread starts without the TypeScript loader of its parent.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { redirectAwsHosts } from './aws-hosts.mjs';

redirectAwsHosts(workerData.endpoint);

for (const stream of [process.stdout, process.stderr]) {
  // Output and results share one port, so the output of a function arrives before its result.
  stream.write = (chunk, encoding, callback) => {
    parentPort.postMessage({
      type: 'output',
      text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString(),
    });
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
}

const handler = await loadHandler().catch((error) => {
  parentPort.postMessage({ type: 'failed', error: described(error) });
});

if (handler) {
  parentPort.on('message', (message) => {
    void handle(message).then((answer) => parentPort.postMessage(answer));
  });
  parentPort.postMessage({ type: 'ready' });
}

async function handle({ event, context, traceId }) {
  process.env._X_AMZN_TRACE_ID = traceId;
  const { deadlineMs, ...fields } = context;
  try {
    const result = await handler(JSON.parse(event), {
      ...fields,
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    });
    // Lambda returns the result as JSON. No result becomes null.
    return { type: 'result', payload: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    return { type: 'error', error: described(error) };
  }
}

/** `index.handler` is the export `handler` of index.js, index.mjs or index.cjs. */
async function loadHandler() {
  const { folder, handlerName } = workerData;
  const dot = handlerName.lastIndexOf('.');
  const stem = join(folder, handlerName.slice(0, dot));
  const exportName = handlerName.slice(dot + 1);
  const file = ['.js', '.mjs', '.cjs'].map((extension) => stem + extension).find((path) => existsSync(path));
  if (!file) {
    throw named('Runtime.ImportModuleError', `Error: Cannot find module '${handlerName.slice(0, dot)}'`);
  }
  const exports = await load(file);
  const found = exports[exportName] ?? exports.default?.[exportName];
  if (typeof found !== 'function') {
    throw named('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`);
  }
  return found;
}

async function load(file) {
  try {
    return file.endsWith('.mjs') ? await import(pathToFileURL(file).href) : createRequire(file)(file);
  } catch (error) {
    // A .js file in a package of type "module".
    if (error?.code === 'ERR_REQUIRE_ESM') return import(pathToFileURL(file).href);
    if (error instanceof SyntaxError)
      throw named('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`);
    throw error;
  }
}

function named(name, message) {
  return Object.assign(new Error(message), { name });
}

/** The form in which Lambda returns a thrown value. The trace stays in the log of the function. */
function described(error) {
  if (error instanceof Error) {
    console.error(error);
    return { errorType: error.name, errorMessage: error.message };
  }
  return { errorType: typeof error, errorMessage: String(error) };
}
