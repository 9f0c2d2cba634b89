import { signedIn, signIn } from '../../look/sign-in.ts';
import { startChat } from './chat-page.ts';
import { find } from './dom.ts';

const user = signedIn();
if (user) startChat(user);
else {
  find('sign-in', HTMLElement).hidden = false;
  const token = find('token', HTMLTextAreaElement);
  find('sign-in-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    if (!signIn(token.value)) find('token-error', HTMLElement).textContent = 'This is not a token.';
  });
}
