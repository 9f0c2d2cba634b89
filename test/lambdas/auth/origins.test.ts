import { describe, expect, it } from 'vitest';
import { isOriginAllowed } from '../../../lambdas/auth/origins.ts';

describe('an origin', () => {
  const allowed = new Set(['https://app.example.com', 'http://localhost:3000']);

  it.each([
    { origin: 'https://app.example.com', isAllowed: true },
    { origin: 'http://localhost:3000', isAllowed: true },
    { origin: 'http://app.example.com', isAllowed: false },
    { origin: 'https://app.example.com:8443', isAllowed: false },
    { origin: 'https://evil.app.example.com', isAllowed: false },
    { origin: 'https://app.example.com.evil.com', isAllowed: false },
    { origin: 'null', isAllowed: false },
    { origin: '', isAllowed: false },
    { origin: undefined, isAllowed: true },
  ])('$origin against the allow-list: $isAllowed', ({ origin, isAllowed }) => {
    expect(isOriginAllowed(origin, allowed)).toBe(isAllowed);
  });

  it('is always allowed if no list is set', () => {
    expect(isOriginAllowed('https://anywhere.example', new Set())).toBe(true);
  });
});
