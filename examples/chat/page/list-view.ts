import type { OwnConversation, Person } from '../shapes.ts';
import { createShelf, make, showChildren } from './dom.ts';
import { colourOf, initialsOf, previewOf, shortTimeOf, titleOf } from './words.ts';

/** The list of conversations. */
export function createListView(list: HTMLElement, me: Person, open: (conversation: string) => void) {
  const shelf = createShelf<HTMLElement>();
  return (conversations: readonly OwnConversation[], current: string | undefined, now: number): void => {
    const items = conversations.map((shown) => {
      const { conversation, unread, last } = shown;
      const title = titleOf(shown, me);
      const preview = previewOf(shown, me);
      const time = last ? shortTimeOf(last.sentAt, now) : '';
      const isOpen = conversation === current;
      const state = JSON.stringify([title, preview, time, unread, isOpen]);
      return shelf.take(conversation, state, () => {
        const item = make(
          'button',
          { class: 'entry', attributes: { type: 'button', ...(isOpen && { 'aria-current': 'true' }) } },
          make('span', {
            class: `avatar ${colourOf(conversation)}`,
            text: initialsOf(title),
            attributes: { 'aria-hidden': 'true' },
          }),
          make('span', { class: 'entry-title', text: title }),
          make('span', { class: 'entry-time faint', text: time }),
          make('span', { class: 'entry-preview faint', text: preview }),
          unread > 0
            ? make(
                'span',
                { class: 'badge' },
                make('span', { text: unread > 99 ? '99+' : String(unread) }),
                make('span', { class: 'visually-hidden', text: ' unread' }),
              )
            : undefined,
        );
        item.addEventListener('click', () => open(conversation));
        return make('li', {}, item);
      });
    });
    showChildren(list, items);
    shelf.turn();
  };
}
