/** Clients are users of their own; five share a topic, and all of them hear everyone. */
export function userOf(client: number): string {
  return `soak-${client}`;
}

export function topicOf(client: number): string {
  return `soak.${Math.floor(client / 5)}`;
}

/** The channels that a client hears. */
export function channelsHeardBy(client: number): readonly string[] {
  return [`user:member:${userOf(client)}`, `topic:${topicOf(client)}`, 'everyone'];
}
