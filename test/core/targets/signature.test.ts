import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { readSigningKey, signatureOf } from '../../../core/targets/signature.ts';

const secret = `whsec_${randomBytes(24).toString('base64')}`;
const id = '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11';
const body = '{"kind":"message","content":"für"}';
const timestamp = Math.floor(Date.now() / 1000);

function headersOf(text = secret) {
  const key = readSigningKey(text);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatureOf(key, { id, timestamp, body }),
  };
}

describe('the signature of a post', () => {
  it.each([secret, secret.slice('whsec_'.length), 'A'.repeat(64)])(
    'is verified by standardwebhooks: %s',
    (text) => {
      expect(new Webhook(text).verify(body, headersOf(text))).toEqual(JSON.parse(body));
    },
  );

  it.each([
    ['another body', { body: `${body} ` }],
    ['another id', { 'webhook-id': 'other' }],
    ['another time', { 'webhook-timestamp': String(timestamp + 1) }],
    ['another secret', { secret: `whsec_${randomBytes(24).toString('base64')}` }],
  ])('does not cover %s', (_name, changed) => {
    const given = { secret, body, ...headersOf(), ...changed };
    expect(() => new Webhook(given.secret).verify(given.body, given)).toThrow('No matching signature found');
  });

  it.each([
    ['too short', randomBytes(23).toString('base64')],
    ['empty', ''],
    ['JSON', `{"secret":"${'A'.repeat(32)}"}`],
    ['base64 without its padding', randomBytes(25).toString('base64').replace(/=+$/, '')],
    ['base64 for URLs', '-_'.repeat(20)],
  ])('takes no secret that is %s', (_name, text) => {
    expect(() => readSigningKey(text)).toThrow('The secret must be base64 of at least 24 bytes.');
  });
});
