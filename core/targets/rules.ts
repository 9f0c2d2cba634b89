/* The rules for targets. The stack checks them at synthesis. */

import { maxTypeLength, protocolTypes, serverTypes } from '../../protocol/index.ts';

/** What is wrong with a pattern. `undefined`: it is a message type, or the beginning of types and a `*`. */
export function patternFault(pattern: string): string | undefined {
  const isPrefix = pattern.endsWith('*');
  const fixed = isPrefix ? pattern.slice(0, -1) : pattern;
  if (fixed.includes('*')) return 'may have one * only, at its end';
  if ((!isPrefix && fixed === '') || fixed.length > maxTypeLength)
    return `must be 1 to ${maxTypeLength} characters`;
  if (isServerType(pattern)) return `must not be ${serverTypes.join(', ')}`;
  if (protocolTypes.includes(pattern)) return 'must not be a type that the protocol handles';
  return undefined;
}

/** Whether only the server sends frames of this type. */
export function isServerType(type: string): boolean {
  return serverTypes.some((known) => known === type);
}

/** What is wrong with the address of an endpoint. Plain HTTP is for an endpoint on the machine of the laptop cloud. */
export function urlFault(url: string): string | undefined {
  if (!URL.canParse(url)) return 'is not a URL';
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') return 'must hold no user name and no password';
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback)) return undefined;
  return 'must begin with https://';
}

/** What no two lifecycle targets share: an ARN or an address. */
export function idOf(
  target: { readonly lambda: string } | { readonly url: string } | { readonly eventBus: string },
): string {
  if ('lambda' in target) return target.lambda;
  return 'url' in target ? target.url : target.eventBus;
}
