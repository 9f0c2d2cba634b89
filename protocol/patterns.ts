/** Whether one of the patterns matches the name of a topic, message type or user. An empty list matches none. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(name, pattern));
}

/** A pattern is literal text. Each `*` stands for any characters, or none. */
function matches(name: string, pattern: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return name === head;
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false;
  // Each part takes its first match, which leaves the most text for the parts after it.
  let rest = name.slice(head.length, name.length - tail.length);
  return parts.every((part) => {
    const at = rest.indexOf(part);
    rest = rest.slice(at + part.length);
    return at !== -1;
  });
}
