/** Each client is a different user. Five clients share a topic, and every client gets the messages to everyone. */
export function userOf(client: number): string {
  return `soak-${client}`;
}

export function topicOf(client: number): string {
  return `soak.${Math.floor(client / 5)}`;
}

/** The channels of a client. The client must get all their messages and no others. */
export function channelsOf(client: number): readonly string[] {
  return [`user:member:${userOf(client)}`, `topic:${topicOf(client)}`, 'everyone'];
}

/** The channels of this many clients, each once. */
export function allChannels(clients: number): readonly string[] {
  return [...new Set(Array.from({ length: clients }, (_, client) => channelsOf(client)).flat())];
}
