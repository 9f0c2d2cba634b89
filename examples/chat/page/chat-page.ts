import { connect, type Status } from '@switchboard/client';
import { signOut, type SignedIn, webSocketUrl } from '../../look/sign-in.ts';
import { limits } from '../limits.ts';
import type { ChatMessages, ChatRequests, Message } from '../shapes.ts';
import {
  createDetailsDialog,
  createGroupDialog,
  createMessageDialog,
  createPrivateDialog,
  createRoomsDialog,
} from './dialogs.ts';
import { find } from './dom.ts';
import { createListView } from './list-view.ts';
import { createMessageView } from './message-view.ts';
import { createOutbox } from './outbox.ts';
import { createStore } from './store.ts';
import { createSync } from './sync.ts';
import { spokenOf, subtitleOf, titleOf, typingOf } from './words.ts';

/** Runs the chat for who has signed in. */
export function startChat({ token, tenant, userType, userId, name }: SignedIn): void {
  const me = { user: `${userType}:${userId}`, name };
  const app = find('app', HTMLElement);
  const panel = find('conversation', HTMLElement);
  const text = find('text', HTMLTextAreaElement);
  app.hidden = false;
  find('me', HTMLElement).textContent = name;
  find('sign-out', HTMLButtonElement).addEventListener('click', signOut);

  const client = connect<ChatMessages, ChatRequests>({ url: webSocketUrl, token });
  const store = createStore(me, render);
  const sync = createSync(client, store, ({ message }) => showNotice(message));
  const outbox = createOutbox({
    client,
    storage: sessionStorage,
    key: `chat-unsent ${tenant} ${me.user}`,
    sent: take,
    changed: render,
  });
  const showList = createListView(find('conversations', HTMLElement), me, open);
  const messages = createMessageView({
    me: me.user,
    scroll: find('scroll', HTMLElement),
    list: find('messages', HTMLElement),
    now: Date.now,
    older: () => {
      if (current !== undefined) sync.older(current);
    },
    choose: (message) => showMessage(message),
    retry: outbox.retry,
    discard: outbox.discard,
    moved: render,
  });

  const dialogParts = { client, store, open: openNew };
  const showDetails = createDetailsDialog(dialogParts);
  const showMessage = createMessageDialog(dialogParts);
  find('new-private', HTMLElement).addEventListener('click', createPrivateDialog(dialogParts));
  find('new-group', HTMLElement).addEventListener('click', createGroupDialog(dialogParts));
  find('open-rooms', HTMLElement).addEventListener('click', createRoomsDialog(dialogParts));

  /** The conversation that is shown. The address holds it, so that the browser's back button closes it. */
  let current = fromAddress();
  let notice = '';
  let isPlanned = false;

  function fromAddress(): string | undefined {
    return new URLSearchParams(location.hash.slice(1)).get('conversation') ?? undefined;
  }
  function open(conversation: string): void {
    if (conversation !== current) history.pushState(null, '', `#${new URLSearchParams({ conversation })}`);
    turnTo(conversation);
    // On a phone the keyboard would cover the messages.
    if (matchMedia('(pointer: fine)').matches) text.focus();
    else find('title', HTMLElement).focus();
  }
  /** Takes a message. A conversation that the page does not know yet is on the list. */
  function take(message: Message): void {
    if (!store.get(message.conversation)) sync.list();
    else if (store.add(message)) sync.newer(message.conversation);
  }
  function openNew(conversation: string): void {
    sync.list();
    open(conversation);
  }
  function turnTo(conversation: string | undefined): void {
    current = conversation;
    if (store.get(conversation ?? '')) sync.open(conversation ?? '');
    render();
  }
  window.addEventListener('popstate', () => turnTo(fromAddress()));
  find('back', HTMLElement).addEventListener('click', () => {
    history.pushState(null, '', location.pathname);
    turnTo(undefined);
    find('conversations', HTMLElement).querySelector('button')?.focus();
  });
  find('details', HTMLElement).addEventListener('click', () => {
    const known = store.get(current ?? '');
    if (known) showDetails(known);
  });
  find('to-newest', HTMLElement).addEventListener('click', () => messages.toNewest());
  document.addEventListener('visibilitychange', render);

  /** Many changes at once are shown once. */
  function render(): void {
    if (isPlanned) return;
    isPlanned = true;
    const show = () => {
      isPlanned = false;
      draw();
    };
    // A browser draws no frames of a page in the background, whose title still counts what is unread.
    if (document.hidden) setTimeout(show, 250);
    else requestAnimationFrame(show);
  }

  function draw(): void {
    const now = Date.now();
    const known = store.get(current ?? '');
    const listed = store.list(current);
    showList(listed, current, now);
    const unread = listed.reduce((sum, conversation) => sum + conversation.unread, 0);
    document.title = unread > 0 ? `(${unread}) Chat` : 'Chat';
    find('list-note', HTMLElement).textContent = !store.isListed
      ? 'Loading …'
      : listed.length === 0
        ? 'No conversations yet. Write to somebody, make a group, or join a room.'
        : '';
    app.dataset['shows'] = known ? 'conversation' : 'list';
    panel.hidden = !known;
    find('nothing', HTMLElement).hidden = known !== undefined;
    showStatus(client.status);
    if (!known) return;
    const { conversation, loaded, typing } = known;
    find('title', HTMLElement).textContent = titleOf(conversation, me);
    find('subtitle', HTMLElement).textContent = subtitleOf(conversation);
    const unsent = outbox.of(conversation.conversation);
    find('history-note', HTMLElement).textContent = !loaded
      ? 'Loading …'
      : loaded.before !== undefined
        ? 'Older messages are above.'
        : loaded.messages.size + unsent.length === 0
          ? 'No messages yet. Say hello.'
          : '';
    if (loaded || unsent.length > 0) messages.show(known, unsent);
    find('to-newest', HTMLElement).hidden = messages.atNewest;
    const typers = [...typing.values()].filter(({ until }) => until > now);
    find('typing', HTMLElement).textContent = typingOf(typers.map((typer) => typer.name));
    const isSeen = document.visibilityState === 'visible' && messages.atNewest && loaded !== undefined;
    if (isSeen && conversation.head > conversation.read && client.status.state === 'open') {
      sync.read(conversation.conversation, conversation.head);
      store.setRead(conversation.conversation, me.user, conversation.head);
    }
  }

  function showNotice(message: string): void {
    notice = message;
    setTimeout(() => {
      notice = '';
      render();
    }, 6000);
    render();
  }
  function showStatus(status: Status): void {
    const words = {
      connecting: 'Connecting …',
      open: '',
      reconnecting: 'No connection. Trying again; what you write is sent afterwards.',
      paused: 'You are offline. What you write is sent when you are back.',
      closed: `Signed out: ${status.state === 'closed' ? status.reason.message : ''}. Sign in again.`,
    }[status.state];
    find('status', HTMLElement).textContent = notice || words;
  }

  client.on('status', ({ state }) => {
    if (state === 'open') {
      sync.refresh(current);
      outbox.pump();
    }
    render();
  });
  client.on('error', ({ message }) => showNotice(message));
  client.on('chat-message', (message) => {
    take(message);
    if (message.from.user !== me.user) find('heard', HTMLElement).textContent = spokenOf(message);
  });
  client.on('chat-recalled', (message) => void store.add(message));
  client.on('chat-conversation', (conversation) => {
    const isNew = store.get(conversation.conversation) === undefined;
    store.setConversation(conversation);
    if (isNew) sync.list();
  });
  client.on('chat-left', ({ conversation }) => {
    store.drop(conversation);
    sync.list();
  });
  client.on('chat-read', ({ conversation, user, read }) => store.setRead(conversation, user, read));
  client.on('chat-typing', ({ conversation, from }) => {
    store.setTyping(conversation, from, Date.now() + limits.typingShownMs);
    setTimeout(render, limits.typingShownMs + 50);
  });

  let typedAt = 0;
  text.addEventListener('input', () => {
    // The field grows with its text, up to a limit of the style.
    text.style.height = 'auto';
    text.style.height = `${text.scrollHeight + 2}px`;
    if (current === undefined || text.value === '' || Date.now() - typedAt < limits.typingEveryMs) return;
    if (client.status.state !== 'open') return;
    typedAt = Date.now();
    sync.typing(current);
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    if (!matchMedia('(pointer: fine)').matches) return;
    event.preventDefault();
    text.form?.requestSubmit();
  });
  find('composer', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    if (current === undefined || text.value.trim() === '') return;
    outbox.write(current, text.value.trim());
    text.value = '';
    text.style.height = 'auto';
    typedAt = 0;
    messages.toNewest();
    text.focus();
  });
  render();
}
