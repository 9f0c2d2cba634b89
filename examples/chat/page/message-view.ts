import { limits } from '../limits.ts';
import type { Message } from '../shapes.ts';
import { button, createShelf, make, showChildren } from './dom.ts';
import type { Unsent } from './outbox.ts';
import type { Known } from './store.ts';
import { dayOf, isSameDay, timeOf } from './words.ts';

/** How many messages are in the document. More would make each change of the layout slow. */
const shownMost = 240;
const step = 80;
const nearPx = 600;

export interface MessageViewParts {
  readonly me: string;
  readonly scroll: HTMLElement;
  readonly list: HTMLElement;
  readonly now: () => number;
  /** Older messages are wanted. */
  readonly older: () => void;
  readonly choose: (message: Message) => void;
  readonly retry: (clientId: string) => void;
  readonly discard: (clientId: string) => void;
  /** Whether the newest message is in view has changed. */
  readonly moved: () => void;
}

/** The messages of one conversation: a window of them that follows the scroll position. */
export function createMessageView(parts: MessageViewParts) {
  const { me, scroll, list, now } = parts;
  const shelf = createShelf<HTMLElement>();
  let messages: readonly Message[] = [];
  let mayBeMore = false;
  /** The window is `messages.slice(start, end)`. */
  let start = 0;
  let end = 0;
  let conversation = '';
  /** The user looks at the newest message, and wants to go on doing so. */
  let atNewest = true;

  scroll.addEventListener(
    'scroll',
    () => {
      const was = atNewest;
      atNewest = end === messages.length && bottomPx() < 40;
      if (was !== atNewest) parts.moved();
      move();
    },
    { passive: true },
  );

  // A phone's keyboard takes half of the height: who looks at the newest message still sees it.
  new ResizeObserver(() => {
    if (atNewest) scroll.scrollTop = scroll.scrollHeight;
  }).observe(scroll);

  const bottomPx = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;

  /** Moves the window when the edge of what is in the document comes near. */
  function move(): void {
    const isNearTop = scroll.scrollTop < nearPx;
    const isNearBottom = bottomPx() < nearPx;
    if (isNearTop && start === 0 && mayBeMore) parts.older();
    if (isNearTop && start > 0) setWindow(Math.max(0, start - step), end, 'older');
    else if (isNearBottom && end < messages.length)
      setWindow(start, Math.min(messages.length, end + step), 'newer');
  }

  function setWindow(from: number, to: number, towards: 'older' | 'newer'): void {
    start = towards === 'newer' ? Math.max(from, to - shownMost) : from;
    end = towards === 'older' ? Math.min(to, from + shownMost) : to;
    last?.();
  }

  /** Shows the same window anew. */
  let last: (() => void) | undefined;

  function show(known: Known, unsent: readonly Unsent[]): void {
    const loaded = known.loaded;
    const next = [...(loaded?.messages.values() ?? [])].sort((a, b) => a.offset - b.offset);
    const isOther = conversation !== known.conversation.conversation;
    const first = messages[start]?.offset;
    const wasEnd = end === messages.length;
    messages = next;
    mayBeMore = loaded?.before !== undefined;
    conversation = known.conversation.conversation;
    if (isOther) atNewest = true;
    if (isOther || atNewest || first === undefined) {
      end = messages.length;
      start = Math.max(0, end - Math.min(shownMost, step));
    } else {
      const length = end - start;
      start = Math.max(
        0,
        messages.findIndex(({ offset }) => offset >= first),
      );
      end = wasEnd ? Math.min(messages.length, start + shownMost) : Math.min(messages.length, start + length);
    }
    last = () => render(known, unsent);
    last();
    if (atNewest) scroll.scrollTop = scroll.scrollHeight;
    move();
  }

  function render(known: Known, unsent: readonly Unsent[]): void {
    const anchor = [...list.children].find(
      (child) => child.getBoundingClientRect().bottom > scroll.getBoundingClientRect().top,
    );
    const anchorTop = anchor?.getBoundingClientRect().top ?? 0;
    const shown = messages.slice(start, end);
    const wanted: HTMLElement[] = [];
    shown.forEach((message, index) => {
      const before = shown[index - 1] ?? messages[start - 1];
      if (!before || !isSameDay(before.sentAt, message.sentAt)) wanted.push(dayItem(message.sentAt));
      wanted.push(messageItem(message, before, known));
    });
    if (end === messages.length) wanted.push(...unsent.map(unsentItem));
    showChildren(list, wanted);
    shelf.turn();
    if (anchor?.isConnected) scroll.scrollTop += anchor.getBoundingClientRect().top - anchorTop;
  }

  function dayItem(at: number): HTMLElement {
    const text = dayOf(at, now());
    return shelf.take(`day ${new Date(at).toDateString()}`, text, () => make('li', { class: 'day', text }));
  }

  function messageItem(message: Message, before: Message | undefined, known: Known): HTMLElement {
    const { offset, from, sentAt, text } = message;
    const { kind, memberCount } = known.conversation;
    const isMine = from.user === me;
    const readBy = isMine
      ? [...known.read].filter(([user, read]) => user !== me && read >= offset).length
      : 0;
    const state = readBy === 0 ? 'Sent' : readBy >= memberCount - 1 ? 'Read' : `Read by ${readBy}`;
    const isFirst =
      before?.from.user !== from.user ||
      sentAt - before.sentAt > 300_000 ||
      !isSameDay(before.sentAt, sentAt);
    const isRecalled = text === undefined;
    const key = `${conversation} ${offset}`;
    return shelf.take(key, JSON.stringify([isRecalled, state, isFirst, kind]), () => {
      const meta = make(
        'p',
        { class: 'meta' },
        make('time', { text: timeOf(sentAt), attributes: { datetime: new Date(sentAt).toISOString() } }),
        isMine && !isRecalled ? make('span', { class: 'state', text: state }) : undefined,
      );
      const options = button('⋯', () => parts.choose(message), 'quiet icon options');
      options.setAttribute('aria-label', `Options of the message of ${timeOf(sentAt)}`);
      const showsName = !isMine && kind !== 'private' && isFirst;
      return make(
        'li',
        { class: `message ${isMine ? 'mine' : 'theirs'}${isFirst ? ' first' : ''}` },
        make(
          'div',
          { class: `bubble${isRecalled ? ' recalled' : ''}` },
          showsName ? make('p', { class: 'name', text: from.name }) : undefined,
          make('p', { class: 'text', text: text ?? (isMine ? 'You recalled this message' : 'Recalled') }),
          meta,
        ),
        isMine && !isRecalled ? options : undefined,
      );
    });
  }

  function unsentItem({ clientId, text, refusal, writtenAt }: Unsent): HTMLElement {
    return shelf.take(`unsent ${clientId}`, refusal ?? '', () =>
      make(
        'li',
        { class: 'message mine unsent first' },
        make(
          'div',
          { class: 'bubble' },
          make('p', { class: 'text', text }),
          make(
            'p',
            { class: 'meta' },
            make('time', { text: timeOf(writtenAt) }),
            make('span', {
              class: refusal === undefined ? 'state' : 'state error',
              text: refusal === undefined ? 'Sending …' : `Not sent: ${refusal}`,
            }),
          ),
          refusal === undefined
            ? undefined
            : make(
                'p',
                { class: 'buttons' },
                button('Retry', () => parts.retry(clientId)),
                button('Delete', () => parts.discard(clientId)),
              ),
        ),
      ),
    );
  }

  return {
    show,
    get atNewest() {
      return atNewest;
    },
    toNewest(): void {
      atNewest = true;
      end = messages.length;
      start = Math.max(0, end - step);
      last?.();
      scroll.scrollTop = scroll.scrollHeight;
      parts.moved();
    },
  };
}

/** Whether the sender may still take it back. The server decides. */
export const mayRecall = ({ sentAt }: Message, now: number): boolean => now - sentAt < limits.recallWithinMs;
