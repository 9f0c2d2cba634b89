/**
 * Reads a wildcard: `*` is any text, `\*` a star and `\\` a backslash. `undefined` if EventBridge would refuse it: for
 * two stars in a row, or a backslash before another character.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching
 */
export function readWildcard(wildcard: string): ((text: string) => boolean) | undefined {
  const tokens = wildcard.match(/\\[\\*]|[^\\]/gu) ?? [];
  if (tokens.join('') !== wildcard || wildcard.replaceAll(/\\./gu, '').includes('**')) return undefined;
  const parts = [''];
  for (const token of tokens) {
    if (token === '*') parts.push('');
    else parts.push((parts.pop() ?? '') + token.slice(-1));
  }
  return (text) => matchesParts(text, parts);
}

/** The parts follow each other with any text between them. The first starts the text, and the last ends it. */
function matchesParts(text: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
