/** Each client is a user of its own. Five clients share a topic, and every client gets what goes to everyone. */
export function userOf(client: number): string {
  return `soak-${client}`;
}

export function topicOf(client: number): string {
  return `soak.${Math.floor(client / 5)}`;
}

/** The channels whose messages a client must get: all of them, and no others. */
export function channelsOf(client: number): readonly string[] {
  return [`user:member:${userOf(client)}`, `topic:${topicOf(client)}`, 'everyone'];
}

/** The channels of so many clients, each once. */
export function allChannels(clients: number): readonly string[] {
  return [...new Set(Array.from({ length: clients }, (_, client) => channelsOf(client)).flat())];
}
