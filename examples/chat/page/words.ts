import type { Conversation, Message, Person } from '../shapes.ts';

/** How the page says times, names and states. */

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const longDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

const dayMs = 86_400_000;

export const timeOf = (at: number): string => time.format(at);

export function dayOf(at: number, now: number): string {
  if (isSameDay(at, now)) return 'Today';
  if (isSameDay(at, now - dayMs)) return 'Yesterday';
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? day : longDay).format(at);
}

/** In the list: the time of today, or the day. */
export const shortTimeOf = (at: number, now: number): string =>
  (isSameDay(at, now) ? time : shortDay).format(at);

export const isSameDay = (one: number, other: number): boolean =>
  new Date(one).toDateString() === new Date(other).toDateString();

export function titleOf({ kind, name, members }: Conversation, me: Person): string {
  if (kind !== 'private') return name ?? '';
  return members.find(({ user }) => user !== me.user)?.name ?? '';
}

export function subtitleOf({ kind, memberCount }: Conversation): string {
  const members = memberCount === 1 ? '1 member' : `${memberCount} members`;
  return { private: 'Private', group: `Group · ${members}`, room: `Room · ${members}` }[kind];
}

export function previewOf({ kind, last }: Conversation, me: Person): string {
  if (!last) return 'No messages yet';
  if (last.text === undefined) return 'A message was recalled';
  if (last.from.user === me.user) return `You: ${last.text}`;
  return kind === 'private' ? last.text : `${last.from.name}: ${last.text}`;
}

/** `Ada, Ben and Cid` */
export const listOf = (names: readonly string[]): string =>
  new Intl.ListFormat('en', { type: 'conjunction' }).format(names);

export function typingOf(names: readonly string[]): string {
  if (names.length === 0) return '';
  if (names.length > 3) return 'Several people are typing …';
  return `${listOf(names)} ${names.length === 1 ? 'is' : 'are'} typing …`;
}

export const initialsOf = (name: string): string =>
  name
    .split(/\s+/)
    .map((word) => Array.from(word)[0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase();

/** One of six colours, the same for the same text. */
export function colourOf(text: string): string {
  const sum = Array.from(text).reduce(
    (total, character) => (total * 31 + (character.codePointAt(0) ?? 0)) % 997,
    7,
  );
  return `colour-${sum % 6}`;
}

export const spokenOf = ({ from, text }: Message): string => `${from.name}: ${text ?? ''}`;
