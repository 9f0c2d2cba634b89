/** Whether one of the patterns matches the topic. An empty list matches no topic. */
export function isTopicAllowed(topic: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(topic, pattern));
}

/** A pattern is literal text. Each `*` stands for any characters, or none. */
function matches(topic: string, pattern: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return topic === head;
  if (topic.length < head.length + tail.length || !topic.startsWith(head) || !topic.endsWith(tail))
    return false;
  // Each part takes its first match, which leaves the most text for the parts after it.
  let rest = topic.slice(head.length, topic.length - tail.length);
  return parts.every((part) => {
    const at = rest.indexOf(part);
    rest = rest.slice(at + part.length);
    return at !== -1;
  });
}
