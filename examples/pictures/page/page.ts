import { type ChannelPage, connect, type Frame, type Status } from '@switchboard/client';
import { signedIn, type SignedIn, signIn, signOut, webSocketUrl } from '../../look/sign-in.ts';
import { type Picture, showPicture } from './list.ts';
import { type Chosen, megabytes, readPicture } from './prepare.ts';
import { sendPicture } from './send.ts';

const words: Readonly<Record<Status['state'], string>> = {
  connecting: 'Connecting …',
  open: 'Connected',
  reconnecting: 'The connection is lost. Trying again …',
  paused: 'Offline',
  closed: 'Disconnected. Sign in again.',
};

const user = signedIn();
if (user === undefined) askForToken();
else start(user);

function askForToken(): void {
  element('sign-in').hidden = false;
  element('sign-in-form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (!signIn(element('token', HTMLTextAreaElement).value))
      element('token-error').textContent = 'This is not a token. It has three parts with dots between them.';
  });
}

function start(user: SignedIn): void {
  const client = connect({ url: webSocketUrl, httpUrl: location.origin, token: user.token });
  const [to, file] = [element('to', HTMLInputElement), element('file', HTMLInputElement)];
  const [send, progress] = [element('send', HTMLButtonElement), element('progress', HTMLProgressElement)];
  const form = element('send-form');
  const subscribed = new Set<string>();
  const shown = new Set<string>();
  let chosen: Chosen | undefined;
  let sending: AbortController | undefined;

  element('app').hidden = false;
  element('me').textContent = `Pictures of ${user.name}`;
  element('sign-out').addEventListener('click', signOut);
  element('status').textContent = words[client.status.state];
  client.on('status', ({ state }) => (element('status').textContent = words[state]));
  client.on('error', ({ message }) => (element('error').textContent = message));
  client.on('picture', (_, frame) => show(frame));
  void showHistory();

  file.addEventListener('change', () => void choose(file.files?.[0]));
  document.addEventListener('paste', (event) => {
    const pasted = event.clipboardData?.files[0];
    if (pasted === undefined) return;
    event.preventDefault();
    void choose(pasted);
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    form.classList.add('dropping');
  });
  document.addEventListener('dragleave', () => form.classList.remove('dropping'));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    form.classList.remove('dropping');
    void choose(event.dataTransfer?.files[0]);
  });
  element('cancel').addEventListener('click', () => sending?.abort());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (chosen !== undefined && sending === undefined) void sendChosen(chosen);
  });

  function show(frame: Frame): void {
    const id = frame.messageId ?? '';
    if (shown.has(id)) return;
    shown.add(id);
    element('empty').hidden = true;
    showPicture(element('pictures'), client, frame as Frame<Picture>);
  }

  /** What came before the page was opened. */
  async function showHistory(): Promise<void> {
    try {
      const channel = `user:${user.userType}:${user.userId}`;
      const { messages } = (await client.send('history', { channel, limit: 20 })) as ChannelPage;
      for (const frame of messages.toReversed()) if (frame.type === 'picture') show(frame);
    } catch (cause) {
      say(messageOf(cause), '');
    }
  }

  async function choose(given: File | undefined): Promise<void> {
    if (given === undefined || sending !== undefined) return;
    chosen = undefined;
    say('', '');
    try {
      chosen = await readPicture(given);
      element('chosen-picture', HTMLImageElement).src = chosen.preview ?? '';
      element('chosen-facts').textContent =
        `${chosen.name ?? 'Picture'}, ${chosen.width} × ${chosen.height}, ${megabytes(given.size)}`;
    } catch (cause) {
      say(messageOf(cause), '');
    }
    update();
  }

  async function sendChosen(picture: Chosen): Promise<void> {
    const target = targetOf(to.value.trim());
    sending = new AbortController();
    progress.value = 0;
    say('', '');
    update();
    try {
      const onProgress = (part: number) => (progress.value = part);
      await sendPicture(client, picture, { to: target, signal: sending.signal, onProgress });
      watch(target);
      chosen = undefined;
      file.value = '';
      say('', 'Sent.');
    } catch (cause) {
      if (sending.signal.aborted) say('', 'Cancelled. Nothing was sent.');
      else say(messageOf(cause), '');
    }
    sending = undefined;
    update();
  }

  /** Who has sent to a topic sees what others send there. */
  function watch(target: string): void {
    const topic = /^topic:(.+)$/.exec(target)?.[1];
    if (topic === undefined || subscribed.has(topic)) return;
    subscribed.add(topic);
    // The handler of `picture` shows what comes. A refusal is the error of the client.
    client.subscribe(topic, () => undefined);
  }

  function targetOf(text: string): string {
    return text.includes(':') ? text : `user:${user.userType}:${text}`;
  }

  function update(): void {
    element('chosen').hidden = chosen === undefined;
    element('progress-row').hidden = sending === undefined;
    send.disabled = chosen === undefined || sending !== undefined;
    file.disabled = sending !== undefined;
  }
}

function say(error: string, done: string): void {
  element('error').textContent = error;
  element('done').textContent = done;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'The picture could not be sent.';
}

function element(id: string): HTMLElement;
function element<Type extends HTMLElement>(id: string, type: new () => Type): Type;
function element(id: string, type: new () => HTMLElement = HTMLElement): HTMLElement {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${id}.`);
}
