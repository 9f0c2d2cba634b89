import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readContext } from '../../lib/settings/settings.ts';
import { errorTable } from '../../protocol/index.ts';
import { startStack } from '../e2e/stack.ts';
import { readPage, tableRows } from './documents.ts';

const cdkJson = z.object({ context: z.record(z.string(), z.unknown()) });

describe('the table of errors in docs/protocol.md', () => {
  it('is the same as in protocol/errors.ts', () => {
    const written = tableRows(readPage('docs/protocol.md'), 'code', 'HTTP status');
    const known = Object.entries(errorTable).map(([code, { httpStatus, retryable, closes }]) => [
      code,
      String(httpStatus),
      retryable ? 'yes' : 'no',
      closes ? 'yes' : 'no',
    ]);
    expect(written).toEqual(known);
  });
});

describe('the table of settings in README.md', () => {
  const rows = tableRows(readPage('README.md'), 'setting');

  it('names every setting and no other', () => {
    const unknown = () => readContext(new App({ context: { none: 1 } }));
    expect(unknown).toThrow(`the settings are ${rows.map(([name]) => name).join(', ')}.`);
  });

  it('gives the values of cdk.json', () => {
    const { context } = cdkJson.parse(JSON.parse(readPage('cdk.json')));
    for (const [name = '', value = ''] of rows) {
      expect(value === '' ? undefined : JSON.parse(value), name).toEqual(context[name]);
    }
  });
});

describe('the table of counters in docs/local.md', () => {
  it('names every counter of a running stack', async () => {
    const stack = await startStack();
    try {
      await stack.connect({ user: 'counted' });
      await stack.publish({ to: 'user:member:counted', type: 'x', content: 1 });
      const counters = tableRows(readPage('docs/local.md'), 'counter').map(([cell = '']) => cell);
      for (const name of Object.keys(stack.cloud.meter.snapshot())) {
        const [service = '', ...rest] = name.split('.');
        const isIndexed = counters.some(
          (cell) => cell.includes(name) || isPattern(cell, service, rest.at(-1) ?? ''),
        );
        expect(isIndexed, name).toBe(true);
      }
    } finally {
      await stack.close();
    }
  });
});

/** `dynamodb.<Operation>` for `dynamodb.PutItem`, `lambda.<logicalId>.…` with `.errors` for `lambda.Connect12.errors`. */
function isPattern(cell: string, service: string, last: string): boolean {
  if (!cell.includes(`${service}.<`)) return false;
  return cell.includes(`.${last}`) || (/<Operation>/.test(cell) && /^[A-Z]/.test(last));
}
