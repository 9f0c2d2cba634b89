import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { readAnswer } from '../../../core/targets/answer.ts';

describe('the answer of a target', () => {
  it.each([
    ['null', null],
    ['{"content":{"orderId":7}}', { orderId: 7 }],
    ['{"content":null}', null],
    ['{"content":false}', false],
  ])('%s becomes the content of the ack', (text, content) => {
    expect(readAnswer(text)).toEqual(content);
  });

  it.each(['bad_content', 'forbidden', 'not_found', 'conflict', 'rate_limited'])(
    'with the error %s becomes an error frame, in its words',
    (code) => {
      const read = () => readAnswer(JSON.stringify({ error: { code, message: 'no such order' } }));
      expect(read).toThrow(expect.objectContaining({ name: 'Refusal', code, message: 'no such order' }));
    },
  );

  it('has an error message of at most 300 characters', () => {
    const text = JSON.stringify({ error: { code: 'conflict', message: 'x'.repeat(301) } });
    expect(() => readAnswer(text)).toThrow(expect.objectContaining({ message: 'x'.repeat(300) }));
  });

  it.each([
    '',
    'ok',
    '{}',
    '[]',
    '"content"',
    '{"contents":1}',
    '{"content":1,"status":200}',
    '{"content":1,"error":{"code":"conflict","message":"x"}}',
    '{"error":"conflict"}',
    '{"error":{"code":"conflict"}}',
    '{"error":{"code":"internal","message":"x"}}',
    '{"error":{"code":"token_expired","message":"x"}}',
    '{"errorType":"Error","errorMessage":"x"}',
  ])('of any other form is a fault, no refusal: %s', (text) => {
    expect(() => readAnswer(text)).toThrow(expect.not.objectContaining({ name: 'Refusal' }));
  });

  it.each(['swordfish', '{"swordfish":1}', '{"error":{"code":"swordfish","message":"swordfish"}}'])(
    'of any other form is not quoted, because the error is logged: %s',
    (text) => {
      const read = vi.fn(() => readAnswer(text));
      expect(read).toThrow(/^The answer (is not JSON|has a form that is not allowed)\.$/);
      expect(inspect(read.mock.results)).not.toContain('swordfish');
    },
  );
});
