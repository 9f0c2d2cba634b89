import { describe, expect, it } from 'vitest';
import { patternFault, urlFault } from '../../../core/targets/rules.ts';

describe('the pattern of a target', () => {
  it.each(['order-create', 'order-*', '*', 'x'.repeat(128), `${'x'.repeat(128)}*`])(
    'may be %s',
    (pattern) => {
      expect(patternFault(pattern)).toBeUndefined();
    },
  );

  it.each([
    ['', 'must be 1 to 128 characters'],
    ['x'.repeat(129), 'must be 1 to 128 characters'],
    ['order-*-x', 'may have one * only, at its end'],
    ['*-order', 'may have one * only, at its end'],
    ['order-**', 'may have one * only, at its end'],
    ['ack', 'must not be ack, error, pong, closing, presence'],
    ['ping', 'must not be a type that the protocol handles'],
    ['inbox-list', 'must not be a type that the protocol handles'],
    ['history', 'must not be a type that the protocol handles'],
  ])('%j %s', (pattern, fault) => {
    expect(patternFault(pattern)).toBe(fault);
  });
});

describe('the address of a target', () => {
  it.each([
    'https://crm.example.com/hook?tenant=1',
    'http://127.0.0.1:3000/hook',
    'http://localhost:3000/hook',
    'http://[::1]:3000/hook',
  ])('may be %s', (url) => {
    expect(urlFault(url)).toBeUndefined();
  });

  it.each([
    ['crm.example.com/hook', 'is not a URL'],
    ['http://crm.example.com/hook', 'must begin with https://'],
    ['http://127.0.0.1.example.com/hook', 'must begin with https://'],
    ['ftp://127.0.0.1/hook', 'must begin with https://'],
    ['https://user@crm.example.com/hook', 'must hold no user name and no password'],
    ['https://:pass@crm.example.com/hook', 'must hold no user name and no password'],
  ])('%s %s', (url, fault) => {
    expect(urlFault(url)).toBe(fault);
  });
});
