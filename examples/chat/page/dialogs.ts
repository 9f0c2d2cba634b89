import { SwitchboardError } from '@switchboard/client';
import { limits } from '../limits.ts';
import type { Conversation, Message, Person } from '../shapes.ts';
import { button, find, make } from './dom.ts';
import { mayRecall } from './message-view.ts';
import type { ChatClient } from './outbox.ts';
import type { Known, Store } from './store.ts';
import { timeOf } from './words.ts';

export interface DialogParts {
  readonly client: ChatClient;
  readonly store: Store;
  readonly open: (conversation: string) => void;
}

/** Opens a dialog, and runs what its buttons ask for: it says why the server refuses, or it closes. */
function prepare(name: string) {
  const dialog = find(`${name}-dialog`, HTMLDialogElement);
  const form = find(`${name}-form`, HTMLFormElement);
  const error = form.querySelector('[role=alert]');
  form.querySelector('[data-close]')?.addEventListener('click', () => dialog.close());

  async function run(work: () => Promise<unknown>, stays = false): Promise<void> {
    error?.replaceChildren();
    form.inert = true;
    try {
      await work();
      if (!stays) dialog.close();
    } catch (cause) {
      if (!(cause instanceof SwitchboardError)) throw cause;
      error?.replaceChildren(cause.message);
    } finally {
      form.inert = false;
    }
  }

  return {
    run: (work: () => Promise<unknown>, stays?: boolean): void => void run(work, stays),
    show: (): void => {
      error?.replaceChildren();
      dialog.showModal();
    },
    onSubmit: (work: () => Promise<unknown>): void => {
      form.addEventListener('submit', (event) => {
        event.preventDefault();
        void run(work);
      });
    },
  };
}

const userOf = (id: string): string => (id.includes(':') ? id : `member:${id}`);

async function people({ client, store }: DialogParts): Promise<readonly Person[]> {
  const { people } = await client.send('chat-person-list', {});
  return people.filter(({ user }) => user !== store.me.user);
}

const nobody = () => make('li', { class: 'faint', text: 'Nobody else has opened the chat yet.' });

export function createPrivateDialog(parts: DialogParts): () => void {
  const { run, show, onSubmit } = prepare('private');
  const input = find('private-user', HTMLInputElement);
  const list = find('private-people', HTMLUListElement);
  let known: readonly Person[] = [];

  async function write(user: string): Promise<void> {
    const made = await parts.client.send('chat-private-open', { user });
    parts.store.setConversation(made);
    parts.open(made.conversation);
  }
  function filter(): void {
    const part = input.value.trim().toLowerCase();
    const found = known.filter(({ user, name }) => `${name} ${user}`.toLowerCase().includes(part));
    const items = found.map(({ user, name }) =>
      make(
        'li',
        {},
        button(name, () => run(() => write(user)), 'quiet wide'),
      ),
    );
    list.replaceChildren(...(known.length === 0 ? [nobody()] : items));
  }
  input.addEventListener('input', filter);
  onSubmit(() => write(userOf(input.value.trim())));
  return () => {
    input.value = '';
    list.replaceChildren();
    show();
    run(async () => {
      known = await people(parts);
      filter();
    }, true);
  };
}

export function createGroupDialog(parts: DialogParts): () => void {
  const { run, show, onSubmit } = prepare('group');
  const name = find('group-name', HTMLInputElement);
  const list = find('group-people', HTMLUListElement);
  let clientId = '';
  onSubmit(async () => {
    const users = [...list.querySelectorAll('input')]
      .filter(({ checked }) => checked)
      .map(({ value }) => value);
    const made = await parts.client.send('chat-group-create', { name: name.value.trim(), users, clientId });
    parts.store.setConversation(made);
    parts.open(made.conversation);
  });
  return () => {
    name.value = '';
    list.replaceChildren();
    clientId = Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join('-');
    show();
    run(async () => {
      const items = (await people(parts)).map(({ user, name }) =>
        make(
          'li',
          {},
          make(
            'label',
            { class: 'check' },
            make('input', { attributes: { type: 'checkbox', value: user } }),
            make('span', { text: name }),
          ),
        ),
      );
      list.replaceChildren(...(items.length === 0 ? [nobody()] : items));
    }, true);
  };
}

export function createRoomsDialog(parts: DialogParts): () => void {
  const { client, store, open } = parts;
  const { run, show, onSubmit } = prepare('rooms');
  const name = find('room-name', HTMLInputElement);
  const list = find('rooms', HTMLUListElement);

  async function join(conversation: string): Promise<void> {
    store.setConversation(await client.send('chat-room-join', { conversation }));
    open(conversation);
  }
  onSubmit(async () => {
    const title = name.value.trim();
    // The id is in the topic, so it has fewer characters than the name.
    const room = title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 40);
    const made = await client.send('chat-room-create', { room, name: title });
    store.setConversation(made);
    open(made.conversation);
  });
  return () => {
    name.value = '';
    list.replaceChildren();
    show();
    run(async () => {
      const { rooms } = await client.send('chat-room-list', {});
      const items = rooms.map(({ conversation, name }) => {
        const isOwn = store.get(conversation) !== undefined;
        const label = isOwn ? `Open ${name}` : `Join ${name}`;
        return make(
          'li',
          {},
          button(label, () => run(() => join(conversation)), 'quiet wide'),
        );
      });
      list.replaceChildren(
        ...(items.length === 0 ? [make('li', { class: 'faint', text: 'There is no room yet.' })] : items),
      );
    }, true);
  };
}

/** Who belongs to a conversation, and what its owner may change. */
export function createDetailsDialog({ client, store }: DialogParts): (known: Known) => void {
  const { run, show, onSubmit } = prepare('details');
  const name = find('details-name', HTMLInputElement);
  const add = find('add-user', HTMLInputElement);
  const list = find('members', HTMLUListElement);
  let shown: Conversation | undefined;
  const inShown = () => ({ conversation: shown?.conversation ?? '' });

  async function fill(): Promise<void> {
    const { members } = await client.send('chat-member-list', inShown());
    const isOwner = shown?.owner === store.me.user;
    list.replaceChildren(
      ...members.map(({ user, name }) => {
        const role = user === shown?.owner ? `${name} (owner)` : name;
        const remove = button('Remove', () =>
          run(async () => {
            store.setConversation(await client.send('chat-member-remove', { ...inShown(), user }));
            await fill();
          }, true),
        );
        remove.setAttribute('aria-label', `Remove ${name}`);
        const mayRemove = isOwner && user !== store.me.user;
        return make('li', { class: 'row' }, make('span', { text: role }), mayRemove ? remove : undefined);
      }),
    );
  }

  onSubmit(async () => {
    const renamed = await client.send('chat-conversation-rename', { ...inShown(), name: name.value.trim() });
    store.setConversation(renamed);
  });
  find('add-member', HTMLButtonElement).addEventListener('click', () =>
    run(async () => {
      const user = userOf(add.value.trim());
      store.setConversation(await client.send('chat-member-add', { ...inShown(), user }));
      add.value = '';
      await fill();
    }, true),
  );
  const leave = find('leave', HTMLButtonElement);
  leave.addEventListener('click', () =>
    run(async () => {
      const { conversation } = await client.send('chat-conversation-leave', inShown());
      store.drop(conversation);
    }),
  );
  return ({ conversation }) => {
    shown = conversation;
    const isOwner = conversation.owner === store.me.user;
    find('owner-tools', HTMLElement).hidden = !isOwner;
    find('add-tools', HTMLElement).hidden = !isOwner || conversation.kind !== 'group';
    leave.hidden = conversation.kind === 'private';
    name.value = conversation.name ?? '';
    list.replaceChildren();
    show();
    run(fill, true);
  };
}

/** Who has read one's own message, and its recall. */
export function createMessageDialog({ client, store }: DialogParts): (message: Message) => void {
  const { run, show, onSubmit } = prepare('message');
  const readers = find('readers', HTMLUListElement);
  const recall = find('recall', HTMLButtonElement);
  let shown: Message | undefined;
  onSubmit(async () => {
    if (shown) store.add(await client.send('chat-message-recall', shown));
  });
  return (message) => {
    shown = message;
    const isRecent = mayRecall(message, Date.now());
    recall.hidden = !isRecent;
    const minutes = limits.recallWithinMs / 60_000;
    find('recall-note', HTMLElement).textContent = isRecent
      ? `A recall takes the text from everyone. It is possible until ${timeOf(message.sentAt + limits.recallWithinMs)}.`
      : `A message can be recalled for ${minutes} minutes.`;
    find('message-text', HTMLElement).textContent = message.text ?? '';
    readers.replaceChildren();
    show();
    run(async () => {
      const { members } = await client.send('chat-member-list', { conversation: message.conversation });
      store.setReaders(message.conversation, members);
      const others = members.filter(({ user }) => user !== store.me.user);
      const names = others.filter(({ read }) => read >= message.offset).map(({ name }) => name);
      find('readers-heading', HTMLElement).textContent = `Read by ${names.length} of ${others.length}`;
      readers.replaceChildren(...names.map((name) => make('li', { text: name })));
    }, true);
  };
}
