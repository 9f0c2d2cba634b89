/** The patterns from their comma-separated text: no pattern holds a comma. */
export function patternsOf(list: string): readonly string[] {
  return list.split(',').filter((pattern) => pattern !== '');
}

/** May a user with these patterns subscribe to the topic? No pattern, no topic. */
export function isTopicAllowed(topic: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(topic, pattern));
}

/** Literal text in which `*` stands for any run of characters, an empty one too. */
function matches(topic: string, pattern: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return topic === head;
  if (topic.length < head.length + tail.length || !topic.startsWith(head) || !topic.endsWith(tail))
    return false;
  // The first place each part fits is as good as any: it leaves the most for those behind it.
  let rest = topic.slice(head.length, topic.length - tail.length);
  return parts.every((part) => {
    const at = rest.indexOf(part);
    rest = rest.slice(at + part.length);
    return at !== -1;
  });
}
